import { setTimeout as sleep } from 'node:timers/promises'
import { type Nats, subjects } from '@stampede/platform'
import { PushResult } from '@stampede/proto/push/v1'
import type { Lane } from './apns/transport.ts'
import type { SendableChunk } from './domain/chunk.ts'
import type { OutcomeBook } from './domain/outcome-book.ts'

/** How often a result is offered to the broker before its chunk is given back. */
const PUBLISH_TRIES_MAX = 20
/** Wait between them, in milliseconds. */
const PUBLISH_RETRY_MS = 500

/** The result of a chunk whose recipients all have an outcome. */
export function pushResultOf(chunk: SendableChunk, lane: Lane, book: OutcomeBook): PushResult {
  return PushResult.fromPartial({
    chunkId: chunk.chunkId,
    brand: chunk.brand,
    campaignId: chunk.campaignId,
    lane,
    ...book.columns(),
    passNo: [...chunk.passNo],
    deviceLibraryId: [...chunk.deviceLibraryId],
    finishedAt: new Date(),
  })
}

/** Puts a result on the stream; resolves when the broker has it. `repeated`: it had one of that chunk before. */
export async function publishResult(nats: Nats, result: PushResult): Promise<{ readonly repeated: boolean }> {
  const payload = PushResult.encode(result).finish()
  for (let attempt = 1; ; attempt++) {
    try {
      const options = { msgID: result.chunkId }
      const { duplicate } = await nats.jetstream.publish(subjects.pushResult(result.brand), payload, options)
      return { repeated: duplicate }
    } catch (error) {
      if (attempt === PUBLISH_TRIES_MAX) throw error
      await sleep(PUBLISH_RETRY_MS)
    }
  }
}
