import type { BrandInfo, ByteColumn, VarintColumn } from '@stampede/platform'
import type { ChunkColumns } from './chunk-wire.ts'
import { EXPIRATION_SECONDS_MAX, type PushSettings, pushSettings } from './push-settings.ts'

/** Most recipients of a chunk, as the protocol says. */
export const CHUNK_RECIPIENTS_MAX = 10_000
/** Longest push token, in bytes. Apple promises no length; 32 is usual. */
const TOKEN_BYTES_MAX = 100
/** Expirations are told to APNs in steps of so many seconds: chunks with one expiration share their prepared headers. */
const EXPIRATION_STEP_SECONDS = 60

/** What a chunk is checked against. */
export type ChunkBrand = Pick<BrandInfo, 'brand' | 'passTypeId' | 'pushType' | 'pushPriority' | 'pushExpirationSeconds'>

/** A chunk that may be sent. */
export interface SendableChunk extends Pick<PushSettings, 'pushType' | 'priority'> {
  readonly chunkId: string
  readonly brand: string
  /** Empty for transactional pushes. */
  readonly campaignId: string
  readonly topic: string
  readonly pushTokens: ByteColumn
  readonly passNo: VarintColumn
  readonly deviceLibraryId: ByteColumn
  /** Unix milliseconds. */
  readonly createdAtMs: number
  /** Unix milliseconds until which it makes sense to send. */
  readonly expiresAtMs: number
}

/** Checks a chunk against the brand whose subject it came on; a reason means that no retry can help. */
export function checkChunk(
  { head, pushTokens, passNo, deviceLibraryId }: ChunkColumns,
  brand: ChunkBrand,
): { readonly ok: true; readonly chunk: SendableChunk } | { readonly ok: false; readonly reason: string } {
  const count = pushTokens.starts.length
  if (head.chunkId === '') return wrong('the chunk has no id')
  if (head.brand !== brand.brand) return wrong(`the chunk is of brand ${head.brand}, not ${brand.brand}`)
  // A push under another brand's topic would wake the wrong card: never sent, whoever asks.
  if (head.topic !== brand.passTypeId) return wrong(`topic ${head.topic} is not the brand's pass type id`)
  if (count < 1 || count > CHUNK_RECIPIENTS_MAX)
    return wrong(`${count} recipients, must be 1 to ${CHUNK_RECIPIENTS_MAX}`)
  if (passNo.count !== count || deviceLibraryId.starts.length !== count) return wrong('columns differ in length')
  if (head.createdAt === undefined) return wrong('created_at is missing')
  const { chunkId, campaignId, topic, expiresAfterSeconds } = head
  if (expiresAfterSeconds < 0 || expiresAfterSeconds > EXPIRATION_SECONDS_MAX)
    return wrong(`expires_after_seconds ${expiresAfterSeconds} is out of range`)
  const { pushType, priority, expirationSeconds } = pushSettings(brand, head)
  const createdAtMs = head.createdAt.getTime()
  const expiresAtMs = createdAtMs + expirationSeconds * 1_000
  const columns = { pushTokens, passNo, deviceLibraryId }
  const times = { createdAtMs, expiresAtMs }
  return {
    ok: true,
    chunk: { chunkId, brand: brand.brand, campaignId, topic, pushType, priority, ...columns, ...times },
  }
}

function wrong(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason }
}

/** Whether a token of that length can be one: wrong syntax is found here, because APNs closes connections over it. */
export function isTokenLength(tokenBytes: number): boolean {
  return tokenBytes > 0 && tokenBytes <= TOKEN_BYTES_MAX
}

/** When APNs may drop the pushes of a chunk, Unix seconds: at its end of life, up to a minute later. */
export function apnsExpirationSeconds(expiresAtMs: number): number {
  return Math.ceil(expiresAtMs / (EXPIRATION_STEP_SECONDS * 1_000)) * EXPIRATION_STEP_SECONDS
}
