import { type Sql, uuidv7 } from '@stampede/platform'
import type { LedgerContext } from '../../context.ts'
import { utcMonth } from '../../domain/calendar.ts'
import { drawPoints } from '../../domain/draws/draw.ts'
import { keptOf } from '../../domain/return.ts'
import { postDrawPoints } from '../../flush/draws.ts'
import type { LoadContext } from '../../flush/load.ts'
import { readDraw, type StoredDraw } from '../../store/draws/draws.ts'
import {
  type DrawReceipt,
  ensureDrawReceipts,
  lockDrawReceipts,
  writeDrawReceipts,
} from '../../store/draws/receipts.ts'
import { beginPosting } from '../../store/plans.ts'
import { readSales } from '../../store/receipts.ts'

/** What loading accounts needs, as of now. */
export async function loadContextOf(context: LedgerContext, tx: Sql, brand: string): Promise<LoadContext> {
  const { brands, misses, clock } = context
  const programmes = await context.programmes.of(tx, [brand])
  return { nowMs: clock.nowMs(), newId: uuidv7, brands, programmes, misses }
}

/** Makes the month that postings of now need. */
export async function ensurePostingMonth({ months, database, clock }: LedgerContext): Promise<void> {
  await months.ensure(database, [{ table: 'posting', month: utcMonth(clock.nowMs()) }])
}

/**
 * Brings the points of sales for a draw to what the sales are worth now: repeats change nothing and the order of events does
 * not matter. Sales that are heard of for the first time count as long as the list is not fixed.
 */
export async function countSales(
  context: LedgerContext,
  { brand, rules }: Pick<StoredDraw, 'brand' | 'rules'>,
  { begun, touched }: { readonly begun: readonly Omit<DrawReceipt, 'points'>[]; readonly touched: readonly string[] },
): Promise<void> {
  const key = { brand, drawId: rules.drawId }
  await ensurePostingMonth(context)
  await context.database.transaction(async (tx) => {
    await beginPosting(tx)
    const draw = await readDraw(tx, brand, rules.drawId, 'share')
    if (draw?.state === 'open') await ensureDrawReceipts(tx, key, begun)
    const locked = await lockDrawReceipts(tx, key, touched)
    const sales = await readSales(
      tx,
      locked.map(({ receiptId }) => ({ brand, id: receiptId })),
    )
    const worth = new Map(sales.map(({ record }) => [record.receiptId, drawPoints(keptOf(record), rules)]))
    const moved = locked.flatMap((receipt) => {
      const points = worth.get(receipt.receiptId) ?? receipt.points
      return points === receipt.points ? [] : [{ ...receipt, points, difference: points - receipt.points }]
    })
    if (moved.length === 0) return
    const changes = moved.map(({ receiptId, memberId, difference }) => ({ receiptId, memberId, points: difference }))
    await postDrawPoints(tx, await loadContextOf(context, tx, brand), key, changes)
    await writeDrawReceipts(tx, key, moved)
  })
}
