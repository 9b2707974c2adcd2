import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connectNats, type Nats } from './nats.ts'
import { changeShared, readShared, type SharedKey, writeShared } from './shared-record.ts'
import { ensureStreams } from './streams.ts'
import { type TestNats, testNats, testParts, until } from './testing/index.ts'

const lifeMs = 60_000

describe('records that replicas share', () => {
  let server: TestNats
  let nats: Nats
  let next = 0

  before(async () => {
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger: testParts().logger })
    await ensureStreams(nats)
  })
  after(async () => {
    await nats[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  function newKey(): SharedKey {
    next += 1
    return { bucket: 'google', parts: ['test', `3388.card ${next}`] }
  }

  test('a record is not there, then there, and only its newest revision can be replaced', async () => {
    const key = newKey()
    assert.deepEqual(await readShared(nats, key), { value: undefined, revision: 0 })
    const first = await writeShared(nats, key, { a: 1 }, { revision: 0, lifeMs })
    assert.ok(first !== false)
    assert.deepEqual(await readShared(nats, key), { value: { a: 1 }, revision: first.revision })
    assert.equal(await writeShared(nats, key, { a: 2 }, { revision: 0, lifeMs }), false)
    assert.ok((await writeShared(nats, key, { a: 2 }, { revision: first.revision, lifeMs })) !== false)
    assert.deepEqual((await readShared(nats, key)).value, { a: 2 })
  })

  test('changes at the same time are all made, one after another', async () => {
    const key = newKey()
    const add = (value: unknown) => ({ result: value, write: { n: ((value as { n: number }) ?? { n: 0 }).n + 1 } })
    await Promise.all(Array.from({ length: 8 }, () => changeShared(nats, key, lifeMs, add)))
    assert.deepEqual((await readShared(nats, key)).value, { n: 8 })
    assert.equal(await changeShared(nats, key, lifeMs, () => ({ result: 'nothing to write' })), 'nothing to write')
  })

  test('a record expires, and a new one takes its place', async () => {
    const key = newKey()
    await writeShared(nats, key, { a: 1 }, { revision: 0, lifeMs: 1_000 })
    await until('it is gone', async () => (await readShared(nats, key)).value === undefined)
    await changeShared(nats, key, lifeMs, (value) => ({ result: value, write: { a: 2 } }))
    assert.deepEqual((await readShared(nats, key)).value, { a: 2 })
  })

  test('without a broker nothing is guessed', async () => {
    await server.stop()
    await Promise.all([
      assert.rejects(readShared(nats, newKey()), { code: 'UNAVAILABLE' }),
      assert.rejects(writeShared(nats, newKey(), {}, { revision: 0, lifeMs }), { code: 'UNAVAILABLE' }),
    ])
    await server.start()
  })
})
