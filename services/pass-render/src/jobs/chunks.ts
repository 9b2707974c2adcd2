import {
  type BrandDirectory,
  bitmapBytes,
  type Delivery,
  decodeEvents,
  invalidArgument,
  passesPerRow,
  type Sql,
  withoutBits,
} from '@stampede/platform'
import { type AudienceChunk, CampaignMessage } from '@stampede/proto/events/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { cutParts, refillParts } from '../domain/push-parts.ts'
import { campaignParts } from '../events.ts'
import { publishAll } from '../publish.ts'
import {
  ensureMessage,
  fixParts,
  insertBumps,
  type MessagePlace,
  markHanded,
  type StoredBump,
  silentPlaces,
} from '../store/bumps.ts'
import { recipientColumns } from '../store/recipient-columns.ts'
import { knownBrand } from './by-brand.ts'

/** Rows whose phones are read and handed out at once: as many as keep database and broker busy, not more. */
const HAND_OUT_WIDTH = 4

/** What handing out a campaign needs. */
export interface ChunkContext extends Pick<Context, 'database' | 'nats' | 'clock' | 'meters'> {
  readonly brands: Pick<BrandDirectory, 'get'>
}

/**
 * Gives released chunks to their passes (one row each, in one transaction), then to their phones: push chunks go
 * straight to the stream, since as rows of the outbox they would be written twice. Whatever ends this in between, the
 * event comes again and the same parts are made again under the same ids.
 */
export async function handleChunks(context: ChunkContext, batch: readonly Delivery[]): Promise<void> {
  const byBrand = Map.groupBy(decodeEvents(batch), (event) => event.brand)
  for (const [slug, events] of byBrand) {
    const chunks = events.map(({ payload }) => {
      if (payload?.$case !== 'chunk') throw invalidArgument('payload', 'is no chunk')
      return checkChunk(payload.value)
    })
    const brand = knownBrand(context, slug)
    const bumps = await context.database.transaction((tx) => bumpPasses(tx, slug, chunks, context.clock.now()))
    await handOutAll(
      context,
      brand,
      bumps.filter((bump) => !bump.isHanded),
    )
  }
}

function checkChunk(chunk: AudienceChunk): AudienceChunk {
  if (chunk.campaignSeq < 1n) throw invalidArgument('campaign_seq', 'must be at least 1')
  if (chunk.campaignId === '') throw invalidArgument('campaign_id', 'is missing')
  if (chunk.bitmap.length !== bitmapBytes) throw invalidArgument('bitmap', `must have ${bitmapBytes} bytes`)
  if (chunk.base < 0n || chunk.base % BigInt(passesPerRow) !== 0n) {
    throw invalidArgument('base', `must be a multiple of ${passesPerRow}`)
  }
  return chunk
}

/** Gives chunks of one brand to their passes. */
export async function bumpPasses(
  tx: Sql,
  brand: string,
  chunks: readonly AudienceChunk[],
  now: Date,
): Promise<readonly StoredBump[]> {
  const places = new Map<string, MessagePlace>()
  for (const { campaignId, campaignSeq, message = { texts: [] } } of chunks) {
    if (places.has(campaignId)) continue
    const body = Buffer.from(CampaignMessage.encode(message).finish())
    const place = await ensureMessage(tx, brand, { messageId: campaignId, source: 'campaign', rank: campaignSeq, body })
    places.set(campaignId, place)
  }
  const bumps = chunks.flatMap(({ campaignId, index, base, bitmap }) => {
    const place = places.get(campaignId)
    return place === undefined ? [] : [{ messageId: campaignId, ...place, index, base, bitmap }]
  })
  return await insertBumps(tx, brand, bumps, now)
}

/** Hands out bumps; those that could be are remembered even when others could not. */
async function handOutAll(context: ChunkContext, brand: BrandView, bumps: readonly StoredBump[]): Promise<void> {
  const handed: StoredBump[] = []
  const failures: unknown[] = []
  const next = bumps.values()
  const work = async (): Promise<void> => {
    for (const bump of next) {
      try {
        await handOut(context, brand, bump)
        handed.push(bump)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: HAND_OUT_WIDTH }, work))
  if (handed.length > 0) await markHanded(context.database, brand.brand, handed, context.clock.now())
  if (failures.length > 0) throw failures[0]
}

/** Reads the phones of a bump and puts its parts on the stream. */
export async function handOut(context: ChunkContext, brand: BrandView, bump: StoredBump): Promise<void> {
  const { database, nats, clock, meters } = context
  const { base, messageId, index } = bump
  const bitmap = bump.isNew ? bump.bitmap : await stillTellable(database, brand.brand, bump)
  const columns = await recipientColumns(database, brand.brand, base, bitmap)
  const cut = bump.partEnds === undefined ? cutParts(columns) : undefined
  const ends = cut === undefined ? bump.partEnds : await fixParts(database, brand.brand, bump, cut.ends)
  // Another worker may have cut the row first, and differently.
  const { parts } = cut !== undefined && isSame(cut.ends, ends) ? cut : refillParts(columns, ends ?? [])
  await publishAll(nats, campaignParts(brand, { campaignId: messageId, index, base }, columns, parts, clock.now()))
  const recipients = parts.reduce((sum, part) => sum + part.length, 0)
  meters.recipients.inc({ brand: brand.brand, lane: 'bulk' }, recipients)
}

/** Time has passed since the row was stored: who has withdrawn consent meanwhile is not woken any more. */
async function stillTellable(sql: Sql, brand: string, { base, bitmap }: StoredBump): Promise<Buffer> {
  return withoutBits(bitmap, (await silentPlaces(sql, brand, [base])).get(base) ?? [])
}

function isSame(left: readonly number[], right: readonly number[] | undefined): boolean {
  return left.length === right?.length && left.every((end, at) => end === right[at])
}
