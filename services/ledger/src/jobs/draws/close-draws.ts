import type { LedgerContext } from '../../context.ts'
import { listHashOf, sortTickets, ticketsFor, ticketsOf } from '../../domain/draws/draw.ts'
import { burnDrawPoints } from '../../flush/draws.ts'
import { readDraw, readDueDraws, type StoredDraw, writeBurnt, writeClosed } from '../../store/draws/draws.ts'
import { readEntrants, readMissed, readStandings } from '../../store/draws/receipts.ts'
import { insertTickets } from '../../store/draws/tickets.ts'
import { beginPosting } from '../../store/plans.ts'
import { countSales, ensurePostingMonth, loadContextOf } from './count-sales.ts'

/** Sales or members of one transaction at most. */
const BATCH_MAX = 500
/** Batches of one pass over a draw at most; the next pass goes on. */
const ROUNDS_MAX = 10_000
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Fixes the lists of up to `limit` draws whose cut-off has passed, and burns their points; answers how many it finished. */
export async function closeDraws(context: LedgerContext, limit: number): Promise<number> {
  const due = await readDueDraws(context.database, context.clock.now(), limit)
  for (const draw of due) {
    if (draw.state === 'open') await closeDraw(context, draw)
    const now = await readDraw(context.database, draw.brand, draw.rules.drawId)
    if (now !== undefined && now.state !== 'open') await burnPoints(context, draw)
  }
  return due.length
}

/** Counts what was not heard of yet, then fixes the list; somebody else may be at it, too. */
async function closeDraw(context: LedgerContext, draw: StoredDraw): Promise<void> {
  const { brand, rules } = draw
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const missed = await readMissed(context.database, brand, rules, BATCH_MAX)
    if (missed.length === 0 && (await fixList(context, draw))) return
    if ((await readDraw(context.database, brand, rules.drawId))?.state !== 'open') return
    await countSales(context, draw, { begun: missed, touched: missed.map(({ receiptId }) => receiptId) })
  }
}

/** Fixes the list; false when something came in between that must be counted first. */
async function fixList(context: LedgerContext, draw: StoredDraw): Promise<boolean> {
  const { brand, rules } = draw
  const key = { brand, drawId: rules.drawId }
  return context.database.transaction(async (tx) => {
    const locked = await readDraw(tx, brand, rules.drawId, 'update')
    if (locked?.state !== 'open') return true
    if ((await readMissed(tx, brand, rules, 1)).length > 0) return false
    const tickets = (await readStandings(tx, key)).flatMap(({ memberId, points }) =>
      ticketsOf(brand, rules.drawId, memberId, ticketsFor(points, rules)).map(({ ticketId }) => ({
        ticketId,
        memberId,
      })),
    )
    const sorted = sortTickets(tickets)
    await insertTickets(tx, key, sorted)
    await writeClosed(tx, draw, { listHash: listHashOf(sorted), ticketCount: BigInt(sorted.length) })
    return true
  })
}

/** Burns member by member; whoever was burnt before has nothing. */
async function burnPoints(context: LedgerContext, draw: StoredDraw): Promise<void> {
  const { brand, rules } = draw
  const key = { brand, drawId: rules.drawId, cutOffMs: rules.cutOffMs }
  await ensurePostingMonth(context)
  let afterId = NOBODY
  for (;;) {
    const members = await readEntrants(context.database, key, { afterId, burn: rules.burn, limit: BATCH_MAX })
    await context.database.transaction(async (tx) => {
      await beginPosting(tx)
      await burnDrawPoints(tx, await loadContextOf(context, tx, brand), key, members)
    })
    if (members.length < BATCH_MAX) break
    afterId = members.at(-1) ?? afterId
  }
  await writeBurnt(context.database, draw, context.clock.now())
}
