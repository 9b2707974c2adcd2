import { type BrandInfo, type Sql, uuidv7 } from '@stampede/platform'
import type { LedgerContext } from '../../context.ts'
import { addMonths } from '../../domain/calendar.ts'
import { programmeAt } from '../../domain/programme.ts'
import type { RecurringRule, Reward } from '../../domain/referrals/programme.ts'
import { closeMonth } from '../../domain/referrals/recurring.ts'
import {
  addToMonth,
  type MonthKey,
  readDueMonths,
  readOpenMonth,
  writeClosedMonth,
} from '../../store/referrals/months.ts'
import { referralRules } from '../../store/referrals/programmes.ts'
import { lockAdvocate } from '../../store/referrals/referrals.ts'
import { insertRewards } from '../../store/referrals/rewards.ts'
import { closesAt } from './follow-sale.ts'

/** Closes up to `limit` months of advocates whose time has come; answers how many it closed. */
export async function closeMonths(context: LedgerContext, limit: number): Promise<number> {
  const due = await readDueMonths(context.database, context.clock.now(), limit)
  let closed = 0
  for (const key of due) if (await closeOne(context, key)) closed += 1
  return closed
}

/** False for a month that somebody else has closed meanwhile. */
async function closeOne(context: LedgerContext, key: MonthKey): Promise<boolean> {
  const brand = context.brands.get(key.brand)
  if (brand === undefined) return false
  return context.database.transaction(async (tx) => {
    await lockAdvocate(tx, key.brand, key.advocateId)
    const open = await readOpenMonth(tx, key)
    if (open === undefined) return false
    const now = context.clock.now()
    const rules = await referralRules(tx, key.brand)
    const recurring = rules?.recurring
    const closed =
      recurring === undefined
        ? { rewardMinor: 0n, carryMinor: 0n }
        : closeMonth(open.netMinor, open.carryMinor, recurring)
    await writeClosedMonth(tx, key, { version: rules?.version ?? 0, rewardMinor: closed.rewardMinor }, now)
    if (recurring === undefined) return true
    if (closed.carryMinor < 0n) {
      const next = { ...key, month: addMonths(key.month, 1), netMinor: 0n, carryMinor: closed.carryMinor }
      await addToMonth(tx, next, closesAt(next.month, recurring.closeDays, brand.timeZone))
    }
    await plan(context, tx, { key, brand, recurring, rewardMinor: closed.rewardMinor })
    return true
  })
}

/** Plans what a month gives; points of less than one whole point are none. */
async function plan(
  context: LedgerContext,
  tx: Sql,
  {
    key,
    brand,
    recurring,
    rewardMinor,
  }: {
    readonly key: MonthKey
    readonly brand: BrandInfo
    readonly recurring: RecurringRule
    readonly rewardMinor: bigint
  },
): Promise<void> {
  const nowMs = context.clock.nowMs()
  const programme = programmeAt((await context.programmes.of(tx, [brand.brand])).get(brand.brand) ?? [], nowMs)
  const points = rewardMinor / (programme?.pointValueMinor ?? 1n)
  const reward: Reward =
    recurring.unit === 'cash' ? { kind: 'cash', moneyMinor: rewardMinor } : { kind: 'points', points, liveDays: 0 }
  if (rewardMinor === 0n || (reward.kind === 'points' && points === 0n)) return
  const at = { occurredAtMs: nowMs, activeAtMs: nowMs, issueAtMs: nowMs, issuedAtMs: undefined }
  const whose = { brand: brand.brand, rewardId: uuidv7(), referralId: null, memberId: key.advocateId }
  await insertRewards(tx, [{ ...whose, side: 'month', reward, ...at, couponId: null, state: 'planned' }])
}
