import {
  bitmapBytes,
  type Delivery,
  decodeEvents,
  hasBit,
  invalidArgument,
  passesPerRow,
  type Sql,
  withoutBits,
  writeOutbox,
} from '@stampede/platform'
import { type AudienceChunk, CampaignMessage } from '@stampede/proto/events/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { campaignChunks } from '../events.ts'
import { ensureMessage, insertBump, silentNumbers } from '../store/bumps.ts'
import { type Recipient, recipientsBetween } from '../store/registrations.ts'
import { knownBrand } from './by-brand.ts'

/** Gives each released chunk to its passes (one row) and its phones (push chunks), in one transaction per chunk. */
export async function handleChunks(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const event of decodeEvents(batch)) {
    if (event.payload?.$case !== 'chunk') throw invalidArgument('payload', 'is no chunk')
    const chunk = event.payload.value
    checkChunk(chunk)
    const brand = knownBrand(context, event.brand)
    await context.database.transaction((tx) => releaseChunk(context, tx, brand, chunk))
    context.relay.wake()
  }
}

function checkChunk(chunk: AudienceChunk): void {
  if (chunk.campaignSeq < 1n) throw invalidArgument('campaign_seq', 'must be at least 1')
  if (chunk.campaignId === '') throw invalidArgument('campaign_id', 'is missing')
  if (chunk.bitmap.length !== bitmapBytes) throw invalidArgument('bitmap', `must have ${bitmapBytes} bytes`)
  if (chunk.base < 0n || chunk.base % BigInt(passesPerRow) !== 0n) {
    throw invalidArgument('base', `must be a multiple of ${passesPerRow}`)
  }
}

async function releaseChunk(context: Context, tx: Sql, brand: BrandView, chunk: AudienceChunk): Promise<void> {
  const now = context.clock.now()
  const { base, campaignId, index } = chunk
  // Consent, block and erasure count now, not when the audience was frozen. Who drops out keeps the old message too.
  const silent = await silentNumbers(tx, brand.brand, base, passesPerRow)
  const bitmap = withoutBits(
    chunk.bitmap,
    silent.map((no) => Number(no - base)),
  )
  const body = Buffer.from(CampaignMessage.encode(chunk.message ?? { texts: [] }).finish())
  const message = { messageId: campaignId, source: 'campaign', rank: chunk.campaignSeq, body } as const
  const place = await ensureMessage(tx, brand.brand, message)
  const isNew = await insertBump(tx, brand.brand, { messageId: campaignId, ...place, index, base, bitmap }, now)
  if (!isNew) return
  const registered = await recipientsBetween(tx, brand.brand, base, base + BigInt(passesPerRow))
  const recipients = oncePerDevice(registered.filter((item) => hasBit(bitmap, Number(item.no - base))))
  await writeOutbox(tx, campaignChunks(brand, campaignId, index, recipients, now))
  context.meters.recipients.inc({ brand: brand.brand, lane: 'bulk' }, recipients.length)
}

function oncePerDevice(recipients: readonly Recipient[]): readonly Recipient[] {
  return [...new Map(recipients.map((item) => [item.deviceLibraryId, item])).values()]
}
