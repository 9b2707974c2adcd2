import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '@stampede/proto/geo/v1'
import fc from 'fast-check'
import { haversineMeters } from './sphere.ts'
import { createStoreIndex } from './store-index.ts'

function storeAt(storeId: string, latitude: number, longitude: number): Store {
  return { storeId, name: storeId, latitude, longitude, address: '', relevantText: '', beacons: [] }
}

test('the nearest come first, over the date line and the pole too', () => {
  const index = createStoreIndex([storeAt('fiji', -18, 178), storeAt('samoa', -14, -172), storeAt('sydney', -34, 151)])
  assert.deepEqual(
    index.nearest({ latitude: -16, longitude: -179 }, 3).map(({ store }) => store.storeId),
    ['fiji', 'samoa', 'sydney'],
  )
  const pole = createStoreIndex([storeAt('here', 89.9, 0), storeAt('there', 89.9, 180), storeAt('far', 80, 0)])
  assert.deepEqual(
    pole.nearest({ latitude: 89.95, longitude: 180 }, 3).map(({ store }) => store.storeId),
    ['there', 'here', 'far'],
  )
})

test('equal distances are ordered by id', () => {
  const index = createStoreIndex([storeAt('c', 1, 1), storeAt('a', 1, 1), storeAt('b', 1, 1)])
  assert.deepEqual(
    index.nearest({ latitude: 0, longitude: 0 }, 2).map(({ store }) => store.storeId),
    ['a', 'b'],
  )
})

test('stores a metre apart are told apart', () => {
  const index = createStoreIndex([storeAt('b', 51.500009, 0), storeAt('a', 51.500018, 0)])
  const [first] = index.nearest({ latitude: 51.5, longitude: 0 }, 1)
  assert.equal(first?.store.storeId, 'b')
  assert.ok(Math.abs((first?.distanceMeters ?? 0) - 1) < 0.01)
})

test('few or no stores are no problem', () => {
  assert.deepEqual(createStoreIndex([]).nearest({ latitude: 0, longitude: 0 }, 10), [])
  assert.equal(createStoreIndex([storeAt('a', 0, 0)]).nearest({ latitude: 0, longitude: 0 }, 10).length, 1)
})

test('it finds what measuring every store by haversine finds', () => {
  const degrees = (max: number) => fc.double({ min: -max, max, noNaN: true })
  const at = fc.tuple(degrees(90), degrees(180))
  fc.assert(
    fc.property(
      fc.array(at, { maxLength: 60 }),
      at,
      fc.integer({ min: 1, max: 12 }),
      (places, [latitude, longitude], limit) => {
        const stores = places.map(([lat, lon], n) => storeAt(`s${n}`, lat, lon))
        const found = createStoreIndex(stores).nearest({ latitude, longitude }, limit)
        const all = stores.map((store) => haversineMeters({ latitude, longitude }, store)).sort((a, b) => a - b)
        assert.equal(found.length, Math.min(limit, stores.length))
        // Ranks are compared by distance: two stores nearly as far may swap within rounding.
        found.forEach(({ distanceMeters }, rank) => {
          assert.ok(Math.abs(distanceMeters - (all[rank] ?? Number.NaN)) < 0.5, `rank ${rank}`)
        })
      },
    ),
  )
})
