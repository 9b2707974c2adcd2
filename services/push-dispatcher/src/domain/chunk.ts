import type { PushChunk } from '@stampede/proto/push/v1'

/** Most recipients of a chunk, as the protocol says. */
export const CHUNK_RECIPIENTS_MAX = 10_000
/** Longest push token, in bytes. Apple promises no length; 32 is usual. */
const TOKEN_BYTES_MAX = 100
/** Life of a push whose chunk names none, in seconds. */
const DEFAULT_EXPIRY_SECONDS = 86_400
/** Apple stores a push for at most 30 days. */
const EXPIRY_SECONDS_MAX = 2_592_000

/** A chunk that may be sent. */
export interface SendableChunk {
  readonly chunkId: string
  readonly brand: string
  /** Empty for transactional pushes. */
  readonly campaignId: string
  readonly topic: string
  readonly pushTokens: readonly Uint8Array[]
  readonly passNo: readonly bigint[]
  readonly deviceLibraryId: readonly string[]
  /** Unix milliseconds. */
  readonly createdAtMs: number
  /** Unix milliseconds until which it makes sense to send. */
  readonly expiresAtMs: number
}

/** Checks a chunk against the brand whose subject it came on; a reason means that no retry can help. */
export function checkChunk(
  chunk: PushChunk,
  brand: { readonly brand: string; readonly passTypeId: string },
): { readonly ok: true; readonly chunk: SendableChunk } | { readonly ok: false; readonly reason: string } {
  const count = chunk.pushTokens.length
  if (chunk.chunkId === '') return wrong('the chunk has no id')
  if (chunk.brand !== brand.brand) return wrong(`the chunk is of brand ${chunk.brand}, not ${brand.brand}`)
  // A push under another brand's topic would wake the wrong card: never sent, whoever asks.
  if (chunk.topic !== brand.passTypeId) return wrong(`topic ${chunk.topic} is not the brand's pass type id`)
  if (count < 1 || count > CHUNK_RECIPIENTS_MAX)
    return wrong(`${count} recipients, must be 1 to ${CHUNK_RECIPIENTS_MAX}`)
  if (chunk.passNo.length !== count || chunk.deviceLibraryId.length !== count) return wrong('columns differ in length')
  if (chunk.createdAt === undefined) return wrong('created_at is missing')
  const seconds = chunk.expiresAfterSeconds === 0 ? DEFAULT_EXPIRY_SECONDS : chunk.expiresAfterSeconds
  if (seconds < 0 || seconds > EXPIRY_SECONDS_MAX) return wrong(`expires_after_seconds ${seconds} is out of range`)
  const { chunkId, campaignId, topic, pushTokens, passNo, deviceLibraryId } = chunk
  const createdAtMs = chunk.createdAt.getTime()
  const expiresAtMs = createdAtMs + seconds * 1_000
  return {
    ok: true,
    chunk: {
      chunkId,
      brand: brand.brand,
      campaignId,
      topic,
      pushTokens,
      passNo,
      deviceLibraryId,
      createdAtMs,
      expiresAtMs,
    },
  }
}

function wrong(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason }
}

/** Whether a token can be one: wrong syntax is found here, because APNs closes connections over it. */
export function isTokenSyntax(token: Uint8Array): boolean {
  return token.length > 0 && token.length <= TOKEN_BYTES_MAX
}
