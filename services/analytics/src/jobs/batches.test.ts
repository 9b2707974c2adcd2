import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BatchLimits, batchesOf } from './batches.ts'
import type { SourceMessage } from './source.ts'

const limits: BatchLimits = { messagesMax: 3, bytesMax: 100, lingerMs: 20 }

const message = (sequence: number, bytes = 1): SourceMessage => ({
  subject: 's',
  data: new Uint8Array(bytes),
  sequence,
})

async function* all(messages: readonly SourceMessage[]): AsyncGenerator<SourceMessage> {
  yield* messages
}

async function cut(messages: AsyncIterable<SourceMessage>, replayLast?: number, own = limits): Promise<number[][]> {
  const batches: number[][] = []
  for await (const batch of batchesOf(messages, own, replayLast)) batches.push(batch.map((one) => one.sequence))
  return batches
}

describe('batches', () => {
  it('end at the limit of messages', async () => {
    assert.deepEqual(await cut(all([1, 2, 5, 6, 9].map((sequence) => message(sequence)))), [
      [1, 2, 5],
      [6, 9],
    ])
  })

  it('end before the limit of bytes, but hold at least one message', async () => {
    assert.deepEqual(await cut(all([message(1, 60), message(2, 60), message(3, 500), message(4)])), [
      [1],
      [2],
      [3],
      [4],
    ])
  })

  it('end when the first message has waited long enough', async () => {
    const more = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<SourceMessage> {
      yield message(1)
      await more.promise
      yield message(2)
    }
    const batches: number[][] = []
    for await (const batch of batchesOf(slow(), limits, undefined)) {
      batches.push(batch.map((one) => one.sequence))
      // Only the first batch, cut by time, lets the second message come.
      more.resolve()
    }
    assert.deepEqual(batches, [[1], [2]])
  })

  it('repeat a range exactly, past all limits', async () => {
    const messages = [4, 5, 6, 7, 8].map((sequence) => message(sequence, 60))
    assert.deepEqual(await cut(all(messages), 7), [[4, 5, 6, 7], [8]])
    assert.deepEqual(await cut(all(messages.slice(0, 4)), 7), [[4, 5, 6, 7]])
  })

  it('repeat what is left of a range whose messages have gone', async () => {
    assert.deepEqual(await cut(all([message(4), message(9)]), 7), [[4], [9]])
    assert.deepEqual(await cut(all([message(9)]), 7), [[], [9]])
  })

  it('do not take a range for repeated when the reading ends inside it', async () => {
    assert.deepEqual(await cut(all([message(4), message(5)]), 7), [])
  })
})
