import { setTimeout as sleep } from 'node:timers/promises'
import { type Nats, subjects } from '@stampede/platform'
import type { Lane } from './apns/transport.ts'
import type { SendableChunk } from './domain/chunk.ts'
import type { OutcomeBook } from './domain/outcome-book.ts'
import { writePushResult } from './domain/result-wire.ts'

/** How often a result is offered to the broker before its chunk is given back. */
const PUBLISH_TRIES_MAX = 20
/** Wait between them, in milliseconds. */
const PUBLISH_RETRY_MS = 500

/** The PushResult of a chunk whose pushes all have an outcome, encoded. */
export function encodeResult(chunk: SendableChunk, lane: Lane, book: OutcomeBook): Uint8Array {
  const { chunkId, brand, campaignId, passNo, deviceLibraryId } = chunk
  return writePushResult({
    head: { chunkId, brand, campaignId, lane, reasons: book.reasons(), finishedAt: new Date() },
    outcomes: book.columns(),
    passNo,
    deviceLibraryId,
  })
}

/** Puts a result on the stream; resolves when the broker has it. `repeated`: it had one of that chunk before. */
export async function publishResult(
  nats: Nats,
  { brand, chunkId }: SendableChunk,
  result: Uint8Array,
): Promise<{ readonly repeated: boolean }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { duplicate } = await nats.jetstream.publish(subjects.pushResult(brand), result, { msgID: chunkId })
      return { repeated: duplicate }
    } catch (error) {
      if (attempt === PUBLISH_TRIES_MAX) throw error
      await sleep(PUBLISH_RETRY_MS)
    }
  }
}
