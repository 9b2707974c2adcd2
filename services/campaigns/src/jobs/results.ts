import {
  type Consumer,
  claimInbox,
  type Delivery,
  invalidArgument,
  type Logger,
  type Metrics,
  type Nats,
  type Sql,
  startConsumer,
  subjects,
} from '@stampede/platform'
import { PushResult } from '@stampede/proto/push/v1'
import { announce } from '../change.ts'
import type { Context } from '../context.ts'
import { parseChunkId } from '../domain/chunk-id.ts'
import { countResult } from '../domain/result.ts'
import { changeCampaign, readCampaign } from '../store/campaigns.ts'
import { isComplete } from '../store/chunks.ts'
import { addDuplicates, addResult, claimPart, type PartResult } from '../store/results.ts'

const durable = 'campaigns-results'
const batchMax = 100
const requestStandsMs = 5_000

/** Counts the results of campaign pushes, each part once. */
export function startResults(context: Context, nats: Nats, logger: Logger, metrics: Metrics): Promise<Consumer> {
  return startConsumer({
    nats,
    stream: 'PUSH_RESULT',
    durable,
    filterSubjects: [subjects.pushResult('*')],
    batchMax,
    expiresMs: requestStandsMs,
    logger,
    metrics,
    handle: (batch) => countResults(context, batch),
  })
}

/** Counts a batch; results of transactional pushes are passed over. */
export async function countResults(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const delivery of batch) {
    const part = readPart(delivery)
    if (part === undefined) continue
    // The stream's own time too: sequences begin anew when a stream is made again.
    const id = `${delivery.sequence}@${delivery.timestampMs}`
    const outcome = await context.database.transaction((tx) => countPart(context, tx, part, id))
    observe(context, part, outcome)
    context.wakeLeader()
    if (outcome === 'done') context.wakeRelay()
  }
}

function readPart({ data, subject }: Delivery): PartResult | undefined {
  const result = PushResult.decode(data)
  if (result.campaignId === '') return undefined
  const place = parseChunkId(result.chunkId)
  if (place === undefined)
    throw invalidArgument('chunk_id', `${result.chunkId} on ${subject} names no part of a campaign`)
  return { brand: result.brand, ...place, ...countResult(result) }
}

/** repeated: pushed and reported before. known: this very message was counted. unknown: no such chunk. */
type PartOutcome = 'open' | 'done' | 'repeated' | 'known' | 'unknown'

async function countPart(context: Context, tx: Sql, part: PartResult, id: string): Promise<PartOutcome> {
  const { brand, campaignId } = part
  if ((await claimInbox(tx, durable, [id])).size === 0) return 'known'
  if (!(await claimPart(tx, part))) return (await addDuplicates(tx, part)) ? 'repeated' : 'unknown'
  const now = context.clock.now()
  if (!(await addResult(tx, part, now))) return 'open'
  // Locked before the look: of two replicas that complete the last two chunks at once, the second sees both.
  const row = await readCampaign(tx, brand, campaignId, true)
  if (row.status !== 'running' && row.status !== 'paused') return 'open'
  if (!(await isComplete(tx, brand, campaignId))) return 'open'
  await announce(tx, await changeCampaign(tx, row, { status: 'done', finishedAt: now }), now)
  return 'done'
}

/** Apart from the transaction, which may run more than once. */
function observe({ metrics, logger }: Context, part: PartResult, outcome: PartOutcome): void {
  const { brand, campaignId, index, accepted, failed, aborted } = part
  if (outcome === 'known') return
  if (outcome === 'unknown') {
    logger.warn({ brand, campaignId, index }, 'a result for a chunk that is not known')
    return
  }
  if (outcome === 'repeated') {
    metrics.countOutcomes(brand, 'duplicate', accepted)
    return
  }
  metrics.countOutcomes(brand, 'accepted', accepted)
  metrics.countOutcomes(brand, 'failed', failed)
  metrics.countOutcomes(brand, 'aborted', aborted)
}
