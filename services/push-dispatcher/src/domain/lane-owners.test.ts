import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { laneCopies, laneOwners } from './lane-owners.ts'
import { rankReplicas } from './rendezvous.ts'

const replicaNames = fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 20 })
const brandNames = Array.from({ length: 500 }, (_, index) => `brand-${index}`)

describe('rendezvous', () => {
  test('the order depends on key and replicas alone, not on who is named first', () => {
    fc.assert(
      fc.property(fc.string(), replicaNames, fc.infiniteStream(fc.nat()), (key, replicas, order) => {
        const shuffled = replicas
          .map((replica) => ({ replica, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ replica }) => replica)
        assert.deepEqual(rankReplicas(key, shuffled), rankReplicas(key, replicas))
      }),
    )
  })

  test('is the same on every machine and in every version', () => {
    assert.deepEqual(rankReplicas('demo', ['a', 'b', 'c', 'd']), ['d', 'c', 'b', 'a'])
    assert.deepEqual(rankReplicas('corner-shop', ['a', 'b', 'c', 'd']), ['b', 'c', 'd', 'a'])
  })

  test('without one replica the others keep their order, so that only its keys change hands', () => {
    fc.assert(
      fc.property(fc.string(), replicaNames, fc.nat(), (key, replicas, chosen) => {
        const lost = replicas[chosen % replicas.length]
        const left = replicas.filter((replica) => replica !== lost)
        assert.deepEqual(
          rankReplicas(key, left),
          rankReplicas(key, replicas).filter((replica) => replica !== lost),
        )
      }),
    )
  })

  test('spreads 500 brands evenly', () => {
    fc.assert(
      fc.property(replicaNames, (replicas) => {
        const counts = new Map(replicas.map((replica) => [replica, 0]))
        for (const brand of brandNames) {
          const [first = ''] = rankReplicas(brand, replicas)
          counts.set(first, (counts.get(first) ?? 0) + 1)
        }
        const mean = brandNames.length / replicas.length
        // Six standard deviations of a fair draw: alike names must not cling together.
        const most = mean + 6 * Math.sqrt(mean)
        for (const [replica, count] of counts) assert.ok(count <= most, `${replica} has ${count}, the mean is ${mean}`)
      }),
    )
  })

  test('spreads them evenly over replicas whose names differ in one letter too', () => {
    const replicas = ['dispatcher-0', 'dispatcher-1', 'dispatcher-2', 'dispatcher-3']
    const counts = new Map<string, number>()
    for (const brand of brandNames)
      for (const owner of laneOwners('tx', { brand, weight: 1 }, replicas))
        counts.set(owner, (counts.get(owner) ?? 0) + 1)
    for (const [replica, count] of counts) assert.ok(count < 250 * 1.2, `${replica} has ${count} of 1,000`)
  })
})

describe('who serves a lane', () => {
  test('two replicas for tx, as many as the weight for bulk, never more than there are', () => {
    assert.equal(laneCopies('tx', 100, 5), 2)
    assert.equal(laneCopies('tx', 100, 1), 1)
    assert.equal(laneCopies('bulk', 1, 5), 1)
    assert.equal(laneCopies('bulk', 3, 5), 3)
    assert.equal(laneCopies('bulk', 10, 5), 5)
  })

  test('a replica that comes takes its lanes only, and one that goes leaves the rest where they are', () => {
    fc.assert(
      fc.property(replicaNames, fc.integer({ min: 1, max: 100 }), fc.nat(), (all, weight, chosen) => {
        const moved = all[chosen % all.length] ?? ''
        const without = all.filter((replica) => replica !== moved)
        for (const brand of brandNames.slice(0, 50)) {
          for (const lane of ['tx', 'bulk'] as const) {
            const many = laneOwners(lane, { brand, weight }, all)
            const few = laneOwners(lane, { brand, weight }, without)
            if (many.includes(moved)) assert.ok(many.every((one) => one === moved || few.includes(one)))
            else assert.deepEqual(few, many)
          }
        }
      }),
    )
  })
})
