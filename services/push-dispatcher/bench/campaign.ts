import { randomFillSync } from 'node:crypto'
import { PushChunk } from '@stampede/proto/push/v1'

/** Recipients of a chunk: about 350 KB, below the 512 KB that a campaign's chunk may have. */
export const CHUNK_RECIPIENTS = 5_000
const TOKEN_BYTES = 32
const lifeSeconds = 86_400

/** Name of a brand's pass type id. */
export function topicOf(brand: string): string {
  return `pass.com.example.${brand}`
}

/** An encoded chunk to so many phones, no two of which have one token. `first`: pass number of the first. */
export function encodeChunk(brand: string, chunkId: string, first: number, recipients: number): Uint8Array {
  const slab = randomFillSync(Buffer.alloc(recipients * TOKEN_BYTES))
  const indices = Array.from({ length: recipients }, (_, index) => index)
  const chunk = PushChunk.fromPartial({
    chunkId,
    brand,
    campaignId: chunkId.startsWith('tx-') ? '' : 'bench',
    topic: topicOf(brand),
    pushTokens: indices.map((index) => slab.subarray(index * TOKEN_BYTES, (index + 1) * TOKEN_BYTES)),
    passNo: indices.map((index) => BigInt(first + index)),
    deviceLibraryId: indices.map((index) => (first + index).toString(16).padStart(32, '0')),
    createdAt: new Date(),
    expiresAfterSeconds: lifeSeconds,
  })
  return PushChunk.encode(chunk).finish()
}
