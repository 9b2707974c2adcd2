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
import type { Designs } from '../designs.ts'
import type { BrandView } from '../domain/card.ts'
import type { GoogleTemplate } from '../domain/google/index.ts'
import { cutParts, type RecipientColumns, refillParts, type Selection } from '../domain/push-parts.ts'
import { campaignParts } from '../events.ts'
import { googleTemplateOf } from '../google-save.ts'
import { type Publisher, publishAll } from '../publish.ts'
import {
  ensureMessage,
  fixParts,
  insertBumps,
  type MessagePlace,
  markHanded,
  type StoredBump,
  silentPlaces,
} from '../store/bumps.ts'
import type { GoogleMode } from '../store/google-holders.ts'
import { findPublications } from '../store/publications.ts'
import { recipientColumns } from '../store/recipient-columns.ts'
import { knownBrand } from './by-brand.ts'
import { bumpGoogleMessages, planForGoogle } from './google-messages.ts'

/** Rows whose phones are read and handed out at once: as many as keep database and broker busy, not more. */
export const HAND_OUT_WIDTH = 4

/** What handing out a campaign needs. */
export interface ChunkContext extends Pick<Context, 'database' | 'clock' | 'meters' | 'logger'> {
  readonly designs: Pick<Designs, 'get'>
  readonly brands: Pick<BrandDirectory, 'get'>
  readonly nats: Publisher
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
    const released = await context.database.transaction((tx) => bumpPasses(context, tx, brand, chunks))
    await handOutAll(
      context,
      brand,
      released.filter(({ bump }) => !bump.isHanded),
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

/** A chunk that its passes carry. */
export interface Released {
  readonly bump: StoredBump
  readonly message: CampaignMessage
  /** undefined: the brand is not at Google. */
  readonly googleMode: GoogleMode | undefined
}

/** Gives chunks of one brand to their passes. */
export async function bumpPasses(
  context: ChunkContext,
  tx: Sql,
  brand: BrandView,
  chunks: readonly AudienceChunk[],
): Promise<readonly Released[]> {
  const campaigns = new Map<string, MessagePlace & Omit<Released, 'bump'>>()
  for (const { campaignId, campaignSeq, coversEverybody, message = { texts: [] } } of chunks) {
    if (campaigns.has(campaignId)) continue
    const body = Buffer.from(CampaignMessage.encode(message).finish())
    const newMessage = { messageId: campaignId, source: 'campaign', rank: campaignSeq, body } as const
    const place = await ensureMessage(tx, brand.brand, newMessage)
    const googleMode = await planForGoogle(context, tx, brand, { campaignId, message, coversEverybody })
    campaigns.set(campaignId, { ...place, message, googleMode })
  }
  const bumps = chunks.flatMap(({ campaignId, index, base, bitmap }) => {
    const campaign = campaigns.get(campaignId)
    return campaign === undefined ? [] : [{ ...campaign, messageId: campaignId, index, base, bitmap }]
  })
  const stored = await insertBumps(tx, brand.brand, bumps, context.clock.now())
  return stored.flatMap((bump) => {
    const campaign = campaigns.get(bump.messageId)
    return campaign === undefined ? [] : [{ bump, message: campaign.message, googleMode: campaign.googleMode }]
  })
}

/** Hands out bumps; those that could be are remembered even when others could not. */
async function handOutAll(context: ChunkContext, brand: BrandView, released: readonly Released[]): Promise<void> {
  const handed: StoredBump[] = []
  const failures: unknown[] = []
  const next = released.values()
  const work = async (): Promise<void> => {
    for (const item of next) {
      try {
        await handOut(context, brand, item)
        handed.push(item.bump)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: HAND_OUT_WIDTH }, work))
  if (handed.length > 0) await markHanded(context.database, brand.brand, handed, context.clock.now())
  if (failures.length > 0) throw failures[0]
}

/** Reads the phones of a bump and puts its parts on the stream, and the messages to its holders at Google. */
export async function handOut(context: ChunkContext, brand: BrandView, released: Released): Promise<void> {
  const { database, nats, clock, meters } = context
  const { message, googleMode } = released
  const bump = released.bump.isNew ? released.bump : await stillTellable(database, brand.brand, released.bump)
  const { base, bitmap, index, messageId } = bump
  const columns = await recipientColumns(database, brand.brand, base, bitmap)
  const parts = await partsOf(database, brand.brand, bump, columns)
  const now = clock.now()
  await publishAll(nats, campaignParts(brand, { campaignId: messageId, index, base }, columns, parts, now))
  const recipients = parts.reduce((sum, part) => sum + part.length, 0)
  meters.recipients.inc({ brand: brand.brand, lane: 'bulk' }, recipients)
  if (googleMode === undefined) return
  const news = { ...bump, texts: message.texts, mode: googleMode }
  const templateOf = (templateId: string) => stableTemplate(context, brand.brand, templateId)
  await publishAll(nats, await bumpGoogleMessages(database, brand, news, templateOf, now))
}

async function stableTemplate(
  { database, designs }: ChunkContext,
  brand: string,
  templateId: string,
): Promise<GoogleTemplate> {
  const [publication] = await findPublications(database, brand, [templateId])
  return await googleTemplateOf(designs, { brand, templateId, templateVersion: publication?.stableVersion ?? 0 })
}

/** Who is woken by which part: as it was cut before, or cut now. */
async function partsOf(
  sql: Sql,
  brand: string,
  bump: StoredBump,
  columns: RecipientColumns,
): Promise<readonly Selection[]> {
  if (bump.partEnds !== undefined) return refillParts(columns, bump.partEnds).parts
  const cut = cutParts(columns)
  const ends = await fixParts(sql, brand, bump, cut.ends)
  // Another worker may have cut the row first, and differently.
  return isSame(cut.ends, ends) ? cut.parts : refillParts(columns, ends).parts
}

/** Time has passed since the row was stored: who has withdrawn consent meanwhile is not woken any more. */
async function stillTellable(sql: Sql, brand: string, bump: StoredBump): Promise<StoredBump> {
  const silent = (await silentPlaces(sql, brand, [bump.base])).get(bump.base) ?? []
  return { ...bump, bitmap: withoutBits(bump.bitmap, silent) }
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((end, at) => end === right[at])
}
