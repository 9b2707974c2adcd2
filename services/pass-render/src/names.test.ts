import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { createLogger, createMetrics, seal, sealedAad, unavailable } from '@stampede/platform'
import { testClock } from '@stampede/platform/testing'
import { createMeters } from './metrics.ts'
import { type KeyClient, Names } from './names.ts'

const key = randomBytes(32)

function member(memberId: string, keyVersion = 1) {
  const sealedName = seal(key, keyVersion, `Name of ${memberId}`, sealedAad('alpha', memberId, 'first_name'))
  return { memberId, cardNumber: '', status: 'active' as const, locale: 'en', marketingConsent: true, sealedName }
}

function setUp(isDown: () => boolean = () => false) {
  const calls: number[] = []
  const client: KeyClient = {
    getMemberKeys: async ({ memberIds = [] }) => {
      calls.push(memberIds.length)
      if (isDown()) throw unavailable('down')
      return { keys: memberIds.map((memberId) => ({ memberId, keyVersion: 1, key })) }
    },
  }
  const clock = testClock(new Date('2026-11-21T10:00:00Z'))
  const meters = createMeters(createMetrics('names'))
  return { names: new Names(client, clock, createLogger('names', 'silent'), meters), calls, clock }
}

describe('names', () => {
  it('are looked up together and kept for five minutes', async () => {
    const { names, calls, clock } = setUp()
    const found = await Promise.all(['a', 'b', 'c'].map((id) => names.find('alpha', member(id))))
    assert.deepEqual(found[1], { known: true, name: 'Name of b' })
    await names.find('alpha', member('a'))
    assert.deepEqual(calls, [3])
    clock.advance(5 * 60_000)
    await names.find('alpha', member('a'))
    assert.deepEqual(calls, [3, 1])
  })

  it('are left out, and not remembered as missing, while enrollment is down', async () => {
    let down = true
    const { names, clock } = setUp(() => down)
    assert.deepEqual(await names.find('alpha', member('a')), { known: false })
    down = false
    assert.deepEqual(await names.find('alpha', member('a')), { known: false }, 'a pause after the failure')
    clock.advance(1_000)
    assert.deepEqual(await names.find('alpha', member('a')), { known: true, name: 'Name of a' })
  })

  it('are empty without a sealed value, a key of its version, or an active member', async () => {
    const { names } = setUp()
    const none = { known: true, name: '' }
    assert.deepEqual(await names.find('alpha', { ...member('a'), sealedName: undefined }), none)
    assert.deepEqual(await names.find('alpha', { ...member('a'), status: 'erased' }), none)
    assert.deepEqual(await names.find('alpha', member('a', 2)), none)
    assert.deepEqual(await names.find('beta', member('a')), none, 'sealed for another brand')
  })
})
