import {
  checkBigint,
  checkInt,
  checkList,
  checkPresent,
  checkText,
  invalidArgument,
  notFound,
  type Sql,
} from '@stampede/platform'
import type { Draw } from '@stampede/proto/draws/v1'
import { readDraw, type StoredDraw } from '../../store/draws/draws.ts'
import { checkOneOf, idPattern, POINTS_MAX } from '../checks.ts'

const BASIS = 10_000
const PRIZES_MAX = 100
const COUNT_MAX = 1_000
const ALTERNATES_MAX = 1_000
const DAYS_MAX = 365
const PERIOD_MS_MAX = 400 * 86_400_000

/** Checks a draw; throws INVALID_ARGUMENT naming the field. */
export function checkDraw(draw: Draw, nowMs: number): void {
  checkDrawId(draw.drawId, 'draw.draw_id')
  const from = checkPresent(draw.from, 'draw.from').getTime()
  const cutOff = checkPresent(draw.cutOff, 'draw.cut_off').getTime()
  if (!(from > nowMs)) throw invalidArgument('draw.from', 'must be in the future')
  if (!(cutOff > from && cutOff - from <= PERIOD_MS_MAX)) {
    throw invalidArgument('draw.cut_off', 'must be after from, and not more than 400 days')
  }
  checkInt(draw.earnBasisPoints, 'draw.earn_basis_points', { min: 1, max: BASIS })
  checkBigint(draw.threshold, 'draw.threshold', { min: 1n, max: POINTS_MAX })
  checkOneOf(draw.tickets, 'draw.tickets', ['', 'one', 'per_threshold'])
  checkOneOf(draw.burn, 'draw.burn', ['', 'all', 'entrants'])
  checkInt(draw.alternates, 'draw.alternates', { min: 0, max: ALTERNATES_MAX })
  checkInt(draw.handOverDays, 'draw.hand_over_days', { min: 1, max: DAYS_MAX })
  for (const [index, prize] of checkList(draw.prizes, 'draw.prizes', { min: 1, max: PRIZES_MAX }).entries()) {
    const at = `draw.prizes[${index}]`
    checkText(prize.prizeId, `${at}.prize_id`, { min: 1, max: 40, pattern: idPattern })
    checkBigint(prize.valueMinor, `${at}.value_minor`, { min: 0n, max: POINTS_MAX })
    checkInt(prize.count, `${at}.count`, { min: 1, max: COUNT_MAX })
  }
}

/** The id of a draw. */
export function checkDrawId(text: string, field = 'draw_id'): string {
  return checkText(text, field, { min: 1, max: 40, pattern: idPattern })
}

/** The draw that a request names; throws NOT_FOUND. `update` keeps it until the transaction ends. */
export async function namedDraw(sql: Sql, brand: string, drawId: string, lock?: 'update'): Promise<StoredDraw> {
  const draw = await readDraw(sql, brand, drawId, lock)
  if (draw === undefined) throw notFound()
  return draw
}
