import {
  type Consumer,
  type Delivery,
  invalidArgument,
  type Logger,
  type Metrics,
  type Nats,
  removeControl,
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

const batchMax = 100
const requestStandsMs = 5_000

/** Counts the results of campaign pushes, each part once. */
export function startResults(context: Context, nats: Nats, logger: Logger, metrics: Metrics): Promise<Consumer> {
  return startConsumer({
    nats,
    stream: 'PUSH_RESULT',
    durable: 'campaigns-results',
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
  for (const { data, subject } of batch) {
    const part = readPart(data, subject)
    if (part === undefined) continue
    const outcome = await context.database.transaction((tx) => countPart(context, tx, part))
    context.wakeLeader()
    if (outcome !== 'done') continue
    await removeControl(context.nats, part.brand, part.campaignId)
    context.wakeRelay()
  }
}

function readPart(data: Uint8Array, subject: string): PartResult | undefined {
  const result = PushResult.decode(data)
  if (result.campaignId === '') return undefined
  const place = parseChunkId(result.chunkId)
  if (place === undefined)
    throw invalidArgument('chunk_id', `${result.chunkId} on ${subject} names no part of a campaign`)
  return { brand: result.brand, ...place, ...countResult(result) }
}

async function countPart(context: Context, tx: Sql, part: PartResult): Promise<'open' | 'done' | 'seen'> {
  const { brand, metrics } = { brand: part.brand, metrics: context.metrics }
  if (!(await claimPart(tx, part))) {
    await addDuplicates(tx, part)
    metrics.countOutcomes(brand, 'duplicate', part.accepted)
    return 'seen'
  }
  const now = context.clock.now()
  const completed = await addResult(tx, part, now)
  metrics.countOutcomes(brand, 'accepted', part.accepted)
  metrics.countOutcomes(brand, 'failed', part.failed)
  metrics.countOutcomes(brand, 'aborted', part.aborted)
  if (!completed || !(await isComplete(tx, brand, part.campaignId))) return 'open'
  const row = await readCampaign(tx, brand, part.campaignId, true)
  if (row.status !== 'running' && row.status !== 'paused') return 'open'
  await announce(tx, await changeCampaign(tx, row, { status: 'done', finishedAt: now }), now)
  return 'done'
}
