import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PushChunk } from '@stampede/proto/push/v1'
import { apnsExpirationSeconds, checkChunk } from './chunk.ts'
import { readPushChunk } from './chunk-wire.ts'

describe('a chunk', () => {
  const brand = {
    brand: 'demo',
    passTypeId: 'pass.demo',
    pushType: 'background',
    pushPriority: 5,
    pushExpirationSeconds: 3_600,
  } as const
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
  const check = (change: Partial<PushChunk>) =>
    checkChunk(readPushChunk(PushChunk.encode(PushChunk.fromPartial({ ...good, ...change })).finish()), brand)

  test('is sendable when it keeps the rules', () => {
    const checked = check({})
    assert.ok(checked.ok)
    assert.equal(checked.chunk.expiresAtMs, 61_000)
    assert.equal(checked.chunk.pushType, 'background')
    assert.equal(checked.chunk.priority, 5)
  })

  test('lives as long as its brand says when it does not say', () => {
    const checked = check({ expiresAfterSeconds: 0 })
    assert.ok(checked.ok)
    assert.equal(checked.chunk.expiresAtMs, 3_601_000)
  })

  test('APNs is told the end of its life, by the minute', () => {
    assert.equal(apnsExpirationSeconds(61_000), 120)
    assert.equal(apnsExpirationSeconds(120_000), 120)
  })

  const wrong: readonly (readonly [string, Partial<PushChunk>, RegExp])[] = [
    ['of another brand', { brand: 'other' }, /of brand other/],
    ["under another brand's topic", { topic: 'pass.other' }, /pass.other/],
    ['without recipients', { pushTokens: [], passNo: [], deviceLibraryId: [] }, /0 recipients/],
    ['with columns of different length', { passNo: [1n, 2n] }, /columns/],
    ['without an id', { chunkId: '' }, /no id/],
    ['without its time', { createdAt: undefined }, /created_at/],
    ['with a negative life', { expiresAfterSeconds: -1 }, /expires_after_seconds/],
    ['with a life that Apple does not store', { expiresAfterSeconds: 2_592_001 }, /expires_after_seconds/],
  ]
  for (const [name, change, reason] of wrong) {
    test(`${name} is poison`, () => {
      const checked = check(change)
      assert.ok(!checked.ok)
      assert.match(checked.reason, reason)
    })
  }
})
