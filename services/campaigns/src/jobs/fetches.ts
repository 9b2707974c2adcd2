import {
  type Consumer,
  type Delivery,
  decodeEvents,
  hasBit,
  type Logger,
  type Metrics,
  type Nats,
  passesPerRow,
  type Sql,
  startConsumer,
  subjects,
  withBits,
} from '@stampede/platform'
import type { Context } from '../context.ts'
import { type FetchedChunk, lockChunks, readAcceptedAt, setFetched } from '../store/fetches.ts'

const batchMax = 200
const requestStandsMs = 5_000
const windowMs = 60_000n

/** Counts the passes that phones fetched with a campaign's message, each pass once. */
export function startFetches(context: Context, nats: Nats, logger: Logger, metrics: Metrics): Promise<Consumer> {
  return startConsumer({
    nats,
    stream: 'EVENTS',
    durable: 'campaigns-fetches',
    filterSubjects: [subjects.fetches('*')],
    batchMax,
    expiresMs: requestStandsMs,
    logger,
    metrics,
    handle: (batch) => countFetches(context, batch),
  })
}

interface Fetch {
  readonly no: bigint
  readonly atMs: bigint
}

/** Counts a batch; a repeat finds the bits set and changes nothing. */
export async function countFetches(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const [key, fetches] of groupByCampaign(batch)) {
    const [brand = '', campaignId = ''] = key.split('/')
    const added = await context.database.transaction((tx) => countCampaign(tx, brand, campaignId, fetches))
    if (added === 0) continue
    context.metrics.countFetched(brand, added)
    context.wakeLeader()
  }
}

function groupByCampaign(batch: readonly Delivery[]): ReadonlyMap<string, readonly Fetch[]> {
  const groups = new Map<string, Fetch[]>()
  for (const { brand, payload } of decodeEvents(batch)) {
    if (payload?.$case !== 'fetches') continue
    const { no, campaignId, fetchedAtMs } = payload.value
    no.forEach((number, index) => {
      const campaign = campaignId[index] ?? ''
      if (campaign === '') return
      const key = `${brand}/${campaign}`
      const fetch = { no: number, atMs: fetchedAtMs[index] ?? 0n }
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [fetch])
      else known.push(fetch)
    })
  }
  return groups
}

async function countCampaign(tx: Sql, brand: string, campaignId: string, fetches: readonly Fetch[]): Promise<number> {
  const byBase = Map.groupBy(fetches, ({ no }) => no - (no % BigInt(passesPerRow)))
  let total = 0
  for (const chunk of await lockChunks(tx, brand, campaignId, [...byBase.keys()])) {
    const fresh = firstFetches(chunk, byBase.get(chunk.base) ?? [])
    if (fresh.size === 0) continue
    const acceptedAt = await readAcceptedAt(tx, brand, campaignId, chunk.index, [...fresh.keys()])
    // A phone may be faster than the result of its push: then it certainly came in time.
    const within60s = [...fresh].filter(([no, atMs]) => atMs - (acceptedAt.get(no) ?? atMs) <= windowMs).length
    const fetched = withBits(
      chunk.fetched,
      [...fresh.keys()].map((no) => Number(no - chunk.base)),
    )
    await setFetched(tx, brand, campaignId, { index: chunk.index, fetched, added: fresh.size, within60s })
    total += fresh.size
  }
  return total
}

function firstFetches(chunk: FetchedChunk, fetches: readonly Fetch[]): ReadonlyMap<bigint, bigint> {
  const fresh = new Map<bigint, bigint>()
  for (const { no, atMs } of fetches) {
    const offset = Number(no - chunk.base)
    if (!hasBit(chunk.bitmap, offset) || hasBit(chunk.fetched, offset) || fresh.has(no)) continue
    fresh.set(no, atMs)
  }
  return fresh
}
