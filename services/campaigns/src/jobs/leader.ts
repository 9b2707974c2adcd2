import { type Logger, writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import { openChunksMax, paceCampaign } from '../domain/pacing.ts'
import { chunkReleased } from '../events.ts'
import { type CampaignRow, lockRunning, setNextRelease } from '../store/campaigns.ts'
import { countWaitingCampaigns, markReleased, readOutstanding, readWaiting } from '../store/chunks.ts'

/** Releases the chunks of running campaigns just in time. */
export interface Leader extends AsyncDisposable {
  /** Says that there may be something to release. */
  wake(): void
}

const everyMs = 200
const campaignsPerRoundMax = 1_000
const lowestId = '00000000-0000-0000-0000-000000000000'

/** Starts the leader. Any number of replicas may run one: a campaign's row lock makes one of them lead it at a time. */
export function startLeader(context: Context, logger: Logger): Leader {
  const stop = new AbortController()
  let wake = (): void => undefined
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, everyMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await releaseAll(context)
      } catch (error) {
        logger.warn({ err: error }, 'releasing chunks failed; trying again')
      }
      await pause()
    }
  }
  const running = run()
  return {
    wake: () => wake(),
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      wake()
      await running
    },
  }
}

/** One look at every running campaign that no other replica leads at this moment. */
export async function releaseAll(context: Context): Promise<void> {
  let after = { brand: '', campaignId: lowestId }
  for (let seen = 0; seen < campaignsPerRoundMax; seen += 1) {
    const row = await releaseNext(context, after)
    if (row === undefined) return
    after = row
  }
}

async function releaseNext(
  context: Context,
  after: { readonly brand: string; readonly campaignId: string },
): Promise<CampaignRow | undefined> {
  const released = await context.database.transaction(async (tx) => {
    const row = await lockRunning(tx, after)
    if (row === undefined) return undefined
    const { brand, campaignId } = row
    const waiting = await readWaiting(tx, brand, campaignId, openChunksMax)
    if (waiting.length === 0) return { row, chunks: 0 }
    const now = context.clock.now()
    const { open, phones } = await readOutstanding(tx, brand, campaignId, now)
    const decision = paceCampaign({
      nowMs: now.getTime(),
      capacityPerSecond: context.capacity.totalPerSecond(),
      sharedBy: await countWaitingCampaigns(tx),
      maxPerSecond: row.maxPerSecond,
      openChunks: open,
      outstanding: phones,
      nextReleaseAtMs: row.nextReleaseAt?.getTime() ?? 0,
      waiting: waiting.map(({ passes }) => passes),
    })
    const chunks = waiting.slice(0, decision.release)
    if (chunks.length === 0) return { row, chunks: 0 }
    await markReleased(
      tx,
      brand,
      campaignId,
      chunks.map(({ index }) => index),
      now,
    )
    await setNextRelease(tx, row, new Date(decision.nextReleaseAtMs))
    await writeOutbox(
      tx,
      chunks.map((chunk) => chunkReleased(row, chunk, now)),
    )
    return { row, chunks: chunks.length }
  })
  if (released === undefined) return undefined
  if (released.chunks > 0) {
    context.metrics.countReleased(released.row.brand, released.chunks)
    context.wakeRelay()
  }
  return released.row
}
