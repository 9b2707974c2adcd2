import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { DonationProgramme } from '@stampede/proto/donations/v1'
import { idPattern, POINTS_MAX } from '../checks.ts'

const FUNDS_MAX = 100
const MATCH_MAX = 100_000
const UNDO_SECONDS_MAX = 2_592_000
const BASIS = 10_000
const RATE = { min: 1n, max: 1_000_000n }

/** Checks a programme; throws INVALID_ARGUMENT naming the field. */
export function checkDonationProgramme(programme: DonationProgramme): void {
  const { fundIds, share } = programme
  for (const [index, id] of checkList(fundIds, 'programme.fund_ids', { min: 1, max: FUNDS_MAX }).entries()) {
    checkFundId(id, `programme.fund_ids[${index}]`)
    if (fundIds.indexOf(id) < index) throw invalidArgument(`programme.fund_ids[${index}]`, 'is there twice')
  }
  checkBigint(programme.ratePoints, 'programme.rate_points', RATE)
  checkBigint(programme.rateMinor, 'programme.rate_minor', RATE)
  checkBigint(programme.leastPoints, 'programme.least_points', { min: 1n, max: POINTS_MAX })
  checkInt(programme.matchBasisPoints, 'programme.match_basis_points', { min: 0, max: MATCH_MAX })
  checkInt(programme.undoSeconds ?? 0, 'programme.undo_seconds', { min: 0, max: UNDO_SECONDS_MAX })
  if (share === undefined) return
  if (!fundIds.includes(share.fundId)) throw invalidArgument('programme.share.fund_id', 'must be one of the funds')
  checkInt(share.basisPoints, 'programme.share.basis_points', { min: 1, max: BASIS })
}

/** The id of a fund. */
export function checkFundId(text: string, field: string): string {
  return checkText(text, field, { min: 1, max: 40, pattern: idPattern })
}
