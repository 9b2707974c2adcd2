import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { heard, left, type Membership, newMembership, replicasOf, withoutSilent } from './membership.ts'

const limits = { ttlMs: 10_000, deafAfterMs: 6_000 }

/** Heartbeats of `replicas` each 2.5 s from one instant to another, with a look at the silent ones each time. */
function hear(start: Membership, replicas: readonly string[], fromMs: number, toMs: number): Membership {
  let members = start
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 2_500) {
    for (const replica of replicas) members = heard(members, replica, limits, nowMs)
    members = withoutSilent(members, limits, nowMs)
  }
  return members
}

describe('membership', () => {
  test('a replica counts itself from the start, and others as soon as they are heard', () => {
    const members = newMembership('b', 0)
    assert.deepEqual(replicasOf(members), ['b'])
    assert.deepEqual(replicasOf(heard(heard(members, 'c', limits, 1), 'a', limits, 2)), ['a', 'b', 'c'])
  })

  test('one who falls silent is dropped after the TTL, not before', () => {
    const both = hear(newMembership('a', 0), ['a', 'b'], 0, 10_000)
    const alone = hear(both, ['a'], 12_500, 20_000)
    assert.deepEqual(replicasOf(alone), ['a', 'b'])
    assert.deepEqual(replicasOf(hear(alone, ['a'], 22_500, 22_500)), ['a'])
  })

  test('one who leaves is dropped at once, and nobody drops himself', () => {
    const members = heard(newMembership('a', 0), 'b', limits, 0)
    assert.deepEqual(replicasOf(left(members, 'b')), ['a'])
    assert.deepEqual(replicasOf(left(members, 'a')), ['a', 'b'])
  })

  test('while the broker is away nobody is dropped, and afterwards each has a full TTL', () => {
    const both = hear(newMembership('a', 0), ['a', 'b'], 0, 10_000)
    const deaf = hear(both, [], 12_500, 600_000)
    assert.deepEqual(replicasOf(deaf), ['a', 'b'])
    const back = hear(deaf, ['a'], 602_500, 612_500)
    assert.deepEqual(replicasOf(back), ['a', 'b'])
    assert.deepEqual(replicasOf(hear(back, ['a'], 615_000, 615_000)), ['a'])
  })

  test('a process that stood still judges nobody before it has heard itself again', () => {
    const both = hear(newMembership('a', 0), ['a', 'b'], 0, 10_000)
    assert.deepEqual(replicasOf(withoutSilent(both, limits, 60_000)), ['a', 'b'])
  })
})
