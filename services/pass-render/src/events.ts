import { makeEvent, type OutboxMessage, subjects, uuidv7 } from '@stampede/platform'
import type { PassFetches, PassState } from '@stampede/proto/events/v1'
import { GoogleMessage, GoogleWork, PushChunk, PushResult } from '@stampede/proto/push/v1'
import type { BrandView } from './domain/card.ts'
import type { PassType } from './domain/google/index.ts'
import {
  MAX_CHUNK_RECIPIENTS,
  type PushChunkHead,
  type RecipientColumns,
  type Selection,
  writePushChunk,
} from './domain/push-parts.ts'
import type { Recipient } from './store/registrations.ts'

/** How long APNs keeps a push for a phone that is off, in seconds: a balance is worth telling for a month. */
const TX_EXPIRES_SECONDS = 30 * 24 * 3_600
/** A campaign is stale sooner. */
const BULK_EXPIRES_SECONDS = 2 * 24 * 3_600
/** Within it a message is brought to Google's holders, or not at all; the most that the dispatcher allows. */
export const GOOGLE_MESSAGE_SECONDS = 2 * 24 * 3_600
/** How long a message stays on Google's cards, in days. */
const GOOGLE_SHOWN_DAYS = 14

/** A pass as issued and where it is installed. */
export function passEvent(brand: string, state: PassState, version: bigint, now: Date): OutboxMessage {
  return makeEvent(
    {
      brand,
      aggregateKind: 'pass',
      aggregateId: state.serial,
      aggregateVersion: version,
      eventTime: now,
      schema: 'pass.pass.v1',
      payload: { $case: 'pass', value: state },
    },
    now,
  )
}

/** Passes that phones took. */
export function fetchesEvent(brand: string, fetches: PassFetches, now: Date): OutboxMessage {
  return makeEvent(
    {
      brand,
      aggregateKind: 'fetches',
      aggregateId: uuidv7(now.getTime()),
      aggregateVersion: 1n,
      eventTime: now,
      schema: 'pass.fetches.v1',
      payload: { $case: 'fetches', value: fetches },
    },
    now,
  )
}

/** Phones to wake because their own card changed. */
export function txChunks(brand: BrandView, recipients: readonly Recipient[], now: Date): readonly OutboxMessage[] {
  return inParts(recipients).map((part) => {
    const id = uuidv7(now.getTime())
    const payload = chunk(brand, id, part, TX_EXPIRES_SECONDS, now)
    return { subject: subjects.pushTx(brand.brand), id, payload }
  })
}

/** A row of a campaign's audience. */
export interface CampaignRow {
  readonly campaignId: string
  readonly index: number
  readonly base: bigint
}

/**
 * Phones to wake for a row of a campaign's audience: parts `<campaign>/<index>/<part>of<parts>`. What holds no phone, a
 * part or the whole row (`0of0`), is reported at once as a result without recipients: the campaign must not wait for it.
 */
export function campaignParts(
  brand: BrandView,
  { campaignId, index, base }: CampaignRow,
  columns: RecipientColumns,
  parts: readonly Selection[],
  now: Date,
): readonly OutboxMessage[] {
  if (parts.length === 0) return [emptyResult(brand, `${campaignId}/${index}/0of0`, campaignId, now)]
  return parts.map((part, place) => {
    const chunkId = `${campaignId}/${index}/${place}of${parts.length}`
    if (part.length === 0) return emptyResult(brand, chunkId, campaignId, now)
    const payload = writePushChunk(
      chunkHead(brand, chunkId, campaignId, BULK_EXPIRES_SECONDS, now),
      base,
      columns,
      part,
    )
    return { subject: subjects.pushBulk(brand.brand), id: `${brand.brand}/${chunkId}`, payload }
  })
}

function emptyResult(brand: BrandView, chunkId: string, campaignId: string, now: Date): OutboxMessage {
  const result = PushResult.fromPartial({ chunkId, brand: brand.brand, campaignId, lane: 'bulk', finishedAt: now })
  const payload = PushResult.encode(result).finish()
  return { subject: subjects.pushResult(brand.brand), id: `${brand.brand}/${chunkId}`, payload }
}

/** Phones to wake by the bulk lane outside of a campaign; `name` becomes the head of the chunk ids. */
export function bulkChunks(
  brand: BrandView,
  name: string,
  recipients: readonly Recipient[],
  now: Date,
): readonly OutboxMessage[] {
  return inParts(recipients).map((part, index) => {
    const id = `${name}/${index}`
    const payload = chunk(brand, id, part, BULK_EXPIRES_SECONDS, now)
    return { subject: subjects.pushBulk(brand.brand), id: `${brand.brand}/${id}`, payload }
  })
}

function inParts(recipients: readonly Recipient[]): readonly (readonly Recipient[])[] {
  const parts = []
  for (let at = 0; at < recipients.length; at += MAX_CHUNK_RECIPIENTS) {
    parts.push(recipients.slice(at, at + MAX_CHUNK_RECIPIENTS))
  }
  return parts
}

function chunk(
  brand: BrandView,
  chunkId: string,
  recipients: readonly Recipient[],
  expiresAfterSeconds: number,
  now: Date,
): Uint8Array {
  const message: PushChunk = {
    ...chunkHead(brand, chunkId, '', expiresAfterSeconds, now),
    pushTokens: recipients.map((item) => item.pushToken),
    passNo: recipients.map((item) => item.no),
    deviceLibraryId: recipients.map((item) => item.deviceLibraryId),
  }
  return PushChunk.encode(message).finish()
}

function chunkHead(
  brand: BrandView,
  chunkId: string,
  campaignId: string,
  expiresAfterSeconds: number,
  now: Date,
): PushChunkHead {
  return { chunkId, brand: brand.brand, campaignId, topic: brand.passTypeId, createdAt: now, expiresAfterSeconds }
}

/** Desired state of one Google resource. */
export interface GoogleDesire {
  readonly kind: `${PassType}Class` | `${PassType}Object`
  readonly resourceId: string
  readonly version: bigint
  readonly json: string
}

/** Work for the dispatcher: the newest desired state of a resource wins. */
export function googleWork(brand: BrandView, desire: GoogleDesire, now: Date): OutboxMessage {
  const work: GoogleWork = {
    brand: brand.brand,
    issuerId: brand.googleIssuerId,
    kind: desire.kind,
    resourceId: desire.resourceId,
    version: desire.version,
    resourceJson: desire.json,
    createdAt: now,
  }
  return {
    subject: subjects.google(brand.googleIssuerId, desire.kind, desire.resourceId),
    id: `google/${desire.resourceId}/${desire.version}`,
    payload: GoogleWork.encode(work).finish(),
  }
}

/** A message to holders at Google. */
export interface GoogleNews {
  /** Unique, and the same whenever the message is made again: letters, digits, `-` and `_`, at most 64. */
  readonly id: string
  readonly campaignId: string
  readonly passType: PassType
  readonly classId: string
  /** At most 10,000 of that class; none: all its holders. */
  readonly objectIds: readonly string[]
  readonly header: string
  readonly body: string
}

/** Work for the dispatcher: tells holders, without a sound where that would be too often. */
export function googleMessage(brand: BrandView, news: GoogleNews, now: Date): OutboxMessage {
  const { id, objectIds, ...rest } = news
  const issuer = brand.googleIssuerId
  const message = GoogleMessage.fromPartial({
    ...rest,
    messageId: id,
    brand: brand.brand,
    issuerId: issuer,
    objectIds: [...objectIds],
    notify: true,
    silentFallback: true,
    createdAt: now,
    expiresAt: new Date(now.getTime() + GOOGLE_MESSAGE_SECONDS * 1_000),
    displayUntil: new Date(now.getTime() + GOOGLE_SHOWN_DAYS * 24 * 3_600_000),
  })
  const subject = objectIds.length === 0 ? subjects.googleBroadcast(issuer, id) : subjects.googleMessage(issuer, id)
  return { subject, id: `google-message/${issuer}/${id}`, payload: GoogleMessage.encode(message).finish() }
}
