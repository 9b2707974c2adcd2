import { checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { Coalition } from '@stampede/proto/programmes/v1'
import { checkTexts } from './check-programme.ts'
import { idPattern } from './checks.ts'

const PARTICIPANTS = { min: 2, max: 100 }
const STORES_MAX = 10_000
const BASIS_POINTS = { min: 0, max: 10_000 }
const id = { min: 1, max: 40, pattern: idPattern }

/** Checks a coalition; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkCoalition({ participants, operator, feeBasisPoints }: Coalition, at: string): void {
  const names = new Set<string>()
  const stores = new Set<string>()
  for (const [index, one] of checkList(participants, `${at}.participants`, PARTICIPANTS).entries()) {
    const here = `${at}.participants[${index}]`
    checkText(one.participantId, `${here}.participant_id`, id)
    if (names.has(one.participantId)) throw invalidArgument(`${here}.participant_id`, 'is taken')
    names.add(one.participantId)
    if (one.stores.length === 0) throw invalidArgument(`${here}.stores`, 'must name stores')
    checkTexts(one.stores, `${here}.stores`, STORES_MAX)
    for (const [place, store] of one.stores.entries()) {
      if (stores.has(store)) throw invalidArgument(`${here}.stores[${place}]`, 'is taken')
      stores.add(store)
    }
    checkInt(one.earnBasisPoints ?? 0, `${here}.earn_basis_points`, BASIS_POINTS)
    checkInt(one.maxPayBasisPoints ?? 0, `${here}.max_pay_basis_points`, BASIS_POINTS)
  }
  checkInt(feeBasisPoints, `${at}.fee_basis_points`, BASIS_POINTS)
  if (feeBasisPoints > 0 && operator === '') throw invalidArgument(`${at}.operator`, 'is needed with a fee')
  if (operator !== '') checkText(operator, `${at}.operator`, id)
}
