import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashApiKey, parseAccessRecord, watchAccess } from './access.ts'
import { createLogger } from './log.ts'
import { connectNats } from './nats.ts'
import { ensureStreams } from './streams.ts'
import { testKeys } from './testing/keys.ts'
import { testNats } from './testing/nats.ts'

/** A revoked key must be refused within this time. */
const REVOKED_WITHIN_MS = 5_000

function record(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

describe('a record of an API key', () => {
  it('is read as it was written', () => {
    const caller = { keyId: 'k', role: 'till', brands: ['one'] }
    assert.deepEqual(parseAccessRecord(record({ ...caller, partner: 'p' })), caller)
  })

  it('grants nothing if it is anything else', () => {
    const wrong = [
      Buffer.alloc(0),
      Buffer.from('{'),
      record(null),
      record({ keyId: 'k', role: 'king', brands: ['one'] }),
      record({ keyId: 'k', role: 'till', brands: 'one' }),
      record({ keyId: 'k', role: 'till', brands: [1] }),
      record({ role: 'till', brands: [] }),
    ]
    for (const data of wrong) assert.equal(parseAccessRecord(data), undefined, Buffer.from(data).toString())
  })
})

describe('the directory of access', () => {
  it('knows the keys of the environment and follows the bucket, revocation by an empty value included', async () => {
    await using server = await testNats()
    await using nats = await connectNats({ url: server.url, name: 'test', logger: createLogger('test', 'silent') })
    await ensureStreams(nats)
    const keys = testKeys()
    const [before, after] = [hashApiKey('sk_before'), hashApiKey('sk_after')]
    const bucket = await nats.kv('access')
    await bucket.put(before, record({ keyId: 'k1', role: 'till', brands: ['one'] }))
    await bucket.put(keys.rootKeySha256, record({ keyId: 'thief', role: 'till', brands: [] }))
    await using access = await watchAccess(nats, keys)
    assert.equal(access.find(keys.rootKeySha256)?.role, 'admin')
    assert.equal(access.find(keys.serviceKeySha256)?.role, 'service')
    assert.deepEqual(access.find(before), { keyId: 'k1', role: 'till', brands: ['one'] })
    await bucket.put(after, record({ keyId: 'k2', role: 'support', brands: ['two'] }))
    await until(() => access.find(after)?.keyId === 'k2')
    await bucket.put(before, new Uint8Array())
    await bucket.delete(after)
    await until(() => access.find(before) === undefined && access.find(after) === undefined)
  })
})

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + REVOKED_WITHIN_MS
  while (!isTrue()) {
    assert.ok(Date.now() < deadline, 'not within 5 s')
    await sleep(5)
  }
}
