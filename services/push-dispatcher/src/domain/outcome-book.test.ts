import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PushOutcome, PushResult } from '@stampede/proto/push/v1'
import fc from 'fast-check'
import { type FinalOutcome, OutcomeBook } from './outcome-book.ts'
import { writePushResult } from './result-wire.ts'

const outcomes: readonly FinalOutcome[] = ['accepted', 'rejected', 'dead', 'expired', 'aborted']

/** What a reader of the result sees. */
function resultOf(book: OutcomeBook): PushResult {
  const head = { chunkId: 'c', brand: 'demo', campaignId: '', lane: 'tx', reasons: book.reasons() }
  const none = { message: new Uint8Array(0), starts: [], ends: [] }
  const passNo = { bytes: new Uint8Array(0), count: 0 }
  const columns = { outcomes: book.columns(), passNo, deviceLibraryId: none }
  return PushResult.decode(writePushResult({ head: { ...head, finishedAt: new Date() }, ...columns }))
}

describe('outcome book', () => {
  test('recipients that share a push get its outcome', () => {
    const book = new OutcomeBook({ size: 2, pushOfRecipient: Uint32Array.of(0, 1, 0) })
    book.countRetry(0)
    book.settle(0, 'dead', { atMs: 5, reason: 'Unregistered', deadSinceMs: 3 })
    assert.deepEqual([book.isOpen(0), book.isOpen(1), book.open], [false, true, 1])
    assert.throws(() => book.columns(), /1 pushes have no outcome/)
    book.accept(1, 6)
    const result = resultOf(book)
    assert.deepEqual(result.outcomes, [
      PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
      PushOutcome.PUSH_OUTCOME_ACCEPTED,
      PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
    ])
    assert.deepEqual(result.reasons, ['', 'Unregistered'])
    assert.deepEqual(result.reasonIndex, [1, 0, 1])
    assert.deepEqual(result.retries, [1, 0, 1])
    assert.deepEqual(result.deadSinceMs, [3n, 0n, 3n])
    assert.deepEqual(result.atMs, [5n, 6n, 5n])
  })

  test('a push never gets a second outcome, nor one that is not of the chunk', () => {
    const book = new OutcomeBook({ size: 1, pushOfRecipient: Uint32Array.of(0) })
    book.settle(0, 'accepted', { atMs: 1 })
    assert.throws(() => book.settle(0, 'expired', { atMs: 2 }), /has an outcome already/)
    assert.throws(() => book.accept(0, 2), /has an outcome already/)
    assert.throws(() => book.accept(1, 2), /is unknown/)
    assert.equal(book.open, 0)
  })

  test('counts recipients by outcome and reason', () => {
    const book = new OutcomeBook({ size: 3, pushOfRecipient: Uint32Array.of(0, 1, 0, 2) })
    book.settle(0, 'rejected', { atMs: 1, reason: 'DeviceTokenNotForTopic' })
    book.accept(1, 1)
    book.accept(2, 1)
    const { outcomes: byOutcome, reasons } = book.counts()
    assert.deepEqual([...byOutcome], [0, 2, 2, 0, 0, 0])
    assert.deepEqual(
      [...reasons],
      [
        ['', 2],
        ['DeviceTokenNotForTopic', 2],
      ],
    )
  })

  test('accepted + rejected + dead + expired + aborted = enqueued', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 100 }),
        fc.infiniteStream(fc.constantFrom(...outcomes)),
        (pushes, stream) => {
          const book = new OutcomeBook({ size: 31, pushOfRecipient: Uint32Array.from(pushes) })
          for (let push = 0; push < book.size; push += 1)
            book.settle(push, stream.next().value ?? 'expired', { atMs: 1 })
          const result = resultOf(book)
          assert.equal(result.outcomes.length, pushes.length)
          assert.ok(result.outcomes.every((outcome) => outcome >= 1 && outcome <= 5))
          assert.equal(
            book.counts().outcomes.reduce((sum, one) => sum + one, 0),
            pushes.length,
          )
        },
      ),
    )
  })
})
