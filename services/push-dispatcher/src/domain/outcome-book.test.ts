import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PushChunk, PushOutcome } from '@stampede/proto/push/v1'
import fc from 'fast-check'
import { checkChunk } from './chunk.ts'
import { type FinalOutcome, OutcomeBook } from './outcome-book.ts'

const outcomes: readonly FinalOutcome[] = ['accepted', 'rejected', 'dead', 'expired', 'aborted']

describe('outcome book', () => {
  test('recipients with one token are one push, and all get its outcome', () => {
    const [a, b] = [Buffer.from('aa', 'hex'), Buffer.from('bb', 'hex')]
    const book = new OutcomeBook([a, b, Buffer.from(a)])
    assert.deepEqual(book.tokens, [a, b])
    book.countRetry(0)
    book.settle(0, 'dead', { atMs: 5, reason: 'Unregistered', deadSinceMs: 3 })
    assert.deepEqual(book.openPushes(), [1])
    assert.throws(() => book.columns(), /1 pushes have no outcome/)
    book.settle(1, 'accepted', { atMs: 6 })
    const columns = book.columns()
    assert.deepEqual(columns.outcomes, [
      PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
      PushOutcome.PUSH_OUTCOME_ACCEPTED,
      PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
    ])
    assert.deepEqual(columns.reasons, ['', 'Unregistered'])
    assert.deepEqual(columns.reasonIndex, [1, 0, 1])
    assert.deepEqual(columns.retries, [1, 0, 1])
    assert.deepEqual(columns.deadSinceMs, [3n, 0n, 3n])
    assert.deepEqual(columns.atMs, [5n, 6n, 5n])
  })

  test('a push never gets a second outcome', () => {
    const book = new OutcomeBook([Buffer.from('aa', 'hex')])
    book.settle(0, 'accepted', { atMs: 1 })
    assert.throws(() => book.settle(0, 'expired', { atMs: 2 }), /has an outcome already/)
  })

  test('accepted + rejected + dead + expired + aborted = enqueued', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 100 }),
        fc.infiniteStream(fc.constantFrom(...outcomes)),
        (tokens, stream) => {
          const book = new OutcomeBook(tokens.map((token) => Buffer.from([token])))
          for (const push of book.openPushes()) book.settle(push, stream.next().value ?? 'expired', { atMs: 1 })
          const columns = book.columns()
          assert.equal(columns.outcomes.length, tokens.length)
          assert.ok(columns.outcomes.every((outcome) => outcome >= 1 && outcome <= 5))
        },
      ),
    )
  })
})

describe('a chunk', () => {
  const brand = { brand: 'demo', passTypeId: 'pass.demo' }
  const good = {
    chunkId: 'c',
    brand: 'demo',
    topic: 'pass.demo',
    pushTokens: [Buffer.alloc(32)],
    passNo: [1n],
    deviceLibraryId: ['d'],
    createdAt: new Date(1_000),
    expiresAfterSeconds: 60,
  }

  test('is sendable when it keeps the rules', () => {
    const checked = checkChunk(PushChunk.fromPartial(good), brand)
    assert.ok(checked.ok)
    assert.equal(checked.chunk.expiresAtMs, 61_000)
  })

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['of another brand', { brand: 'other' }, /of brand other/],
    ["under another brand's topic", { topic: 'pass.other' }, /pass.other/],
    ['without recipients', { pushTokens: [], passNo: [], deviceLibraryId: [] }, /0 recipients/],
    ['with columns of different length', { passNo: [1n, 2n] }, /columns/],
    ['without an id', { chunkId: '' }, /no id/],
    ['without its time', { createdAt: undefined }, /created_at/],
    ['with a negative life', { expiresAfterSeconds: -1 }, /expires_after_seconds/],
  ]
  for (const [name, change, reason] of wrong) {
    test(`${name} is poison`, () => {
      const checked = checkChunk(PushChunk.fromPartial({ ...good, ...change }), brand)
      assert.ok(!checked.ok)
      assert.match(checked.reason, reason)
    })
  }
})
