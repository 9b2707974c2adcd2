import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StampedeError } from '@stampede/platform'
import { Committer } from './committer.ts'
import type { Item, ItemResult } from './item.ts'

function item(key: string, deadlineMs = 1_000): Item {
  return {
    brand: 'demo',
    memberId: 'same member, same lane',
    idempotencyKey: key,
    bodyHash: Buffer.alloc(0),
    request: { kind: 'cancel', holdId: key },
    deadlineMs,
  }
}

function answer(one: Item): ItemResult {
  return { ok: true, response: Buffer.from(one.idempotencyKey) }
}

function codes(results: readonly ItemResult[]): readonly string[] {
  return results.map((result) => (result.ok ? 'ok' : result.error.code))
}

function committer(flush: (items: readonly Item[]) => Promise<readonly ItemResult[]>, sizes: number[] = []): Committer {
  return new Committer({ flush, nowMs: () => 500, onFlushed: ({ items }) => sizes.push(items) })
}

test('what comes while a transaction runs shares the next one, in order', async () => {
  const gate = Promise.withResolvers<void>()
  const seen: string[] = []
  const sizes: number[] = []
  await using queue = committer(async (items) => {
    seen.push(...items.map(({ idempotencyKey }) => idempotencyKey))
    await gate.promise
    return items.map(answer)
  }, sizes)
  const first = queue.submit([item('0')])
  await Promise.resolve()
  await Promise.resolve()
  const others = Array.from({ length: 700 }, (_, index) => queue.submit([item(String(index + 1))]))
  gate.resolve()
  await Promise.all([first, ...others])
  assert.deepEqual(sizes, [1, 500, 200])
  assert.deepEqual(
    seen,
    Array.from({ length: 701 }, (_, index) => String(index)),
  )
})

test('a batch that the database refuses is halved until the culprit stands alone', async () => {
  let calls = 0
  await using queue = committer(async (items) => {
    calls += 1
    if (items.some(({ idempotencyKey }) => idempotencyKey === 'bad')) throw new StampedeError('INVALID_ARGUMENT')
    return items.map(answer)
  })
  const results = await queue.submit(['a', 'b', 'bad', 'c', 'd'].map((key) => item(key)))
  assert.deepEqual(codes(results), ['ok', 'ok', 'INVALID_ARGUMENT', 'ok', 'ok'])
  assert(calls <= 7)
})

test('a duplicate that another replica posted in between is looked at again', async () => {
  let calls = 0
  await using queue = committer(async (items) => {
    calls += 1
    if (calls < 3) throw new StampedeError('ALREADY_EXISTS')
    return items.map(answer)
  })
  assert.deepEqual(codes(await queue.submit([item('a'), item('b')])), ['ok', 'ok'])
  assert.equal(calls, 3)
})

test('without a database all are told to come again, at once', async () => {
  let calls = 0
  await using queue = committer(async () => {
    calls += 1
    throw new StampedeError('UNAVAILABLE')
  })
  const results = await queue.submit([item('a'), item('b'), item('c')])
  assert.deepEqual(codes(results), ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
  assert.equal(calls, 1)
})

test('a command that nobody waits for any more is not begun', async () => {
  const seen: string[] = []
  await using queue = committer(async (items) => {
    seen.push(...items.map(({ idempotencyKey }) => idempotencyKey))
    return items.map(answer)
  })
  assert.deepEqual(codes(await queue.submit([item('late', 500), item('in time', 501)])), ['DEADLINE_EXCEEDED', 'ok'])
  assert.deepEqual(seen, ['in time'])
})

test('a full queue refuses, and a closing one finishes what it has', async () => {
  const gate = Promise.withResolvers<void>()
  const queue = committer(async (items) => {
    await gate.promise
    return items.map(answer)
  })
  const taken = queue.submit(Array.from({ length: 5_000 }, (_, index) => item(String(index))))
  assert.deepEqual(codes(await queue.submit([item('one too many')])), ['RESOURCE_EXHAUSTED'])
  const closed = queue[Symbol.asyncDispose]()
  assert.deepEqual(codes(await queue.submit([item('too late')])), ['UNAVAILABLE'])
  gate.resolve()
  await closed
  assert.equal((await taken).filter(({ ok }) => ok).length, 5_000)
})
