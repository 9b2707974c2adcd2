import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store, StoreBeacon } from '@stampede/proto/geo/v1'
import { noPlaces, relevantPlaces } from './relevance.ts'
import { createStoreIndex } from './store-index.ts'

function beacon(major: number): StoreBeacon {
  return { proximityUuid: '00000000-0000-4000-8000-000000000000', major, minor: undefined }
}

function street(count: number, beaconsEach = 0): Store[] {
  return Array.from({ length: count }, (_, n) => ({
    storeId: `s${String(n).padStart(2, '0')}`,
    name: `Store ${n}`,
    latitude: 51.5,
    longitude: n / 100,
    address: '',
    relevantText: `Store ${n} is near`,
    beacons: Array.from({ length: beaconsEach }, (_, b) => beacon(n * 100 + b)),
  }))
}

const ids = (stores: readonly { storeId: string }[]) => stores.map(({ storeId }) => storeId)

test('ten places at most, the own store first, then by distance from it', () => {
  const { places } = relevantPlaces(createStoreIndex(street(30)), 's05')
  assert.equal(places.length, 10)
  assert.equal(places[0]?.storeId, 's05')
  assert.deepEqual(ids(places).slice(1, 5).sort(), ['s03', 's04', 's06', 's07'])
})

test('the own store is first even where another one shares its roof', () => {
  const stores = street(12).map((store) => ({ ...store, longitude: 0 }))
  const { places } = relevantPlaces(createStoreIndex(stores), 's11')
  assert.deepEqual(ids(places), ['s11', 's00', 's01', 's02', 's03', 's04', 's05', 's06', 's07', 's08'])
})

test('beacons come from those places in their order, ten at most, with the text of their store', () => {
  const { beacons } = relevantPlaces(createStoreIndex(street(30, 4)), 's00')
  assert.deepEqual(
    beacons.map(({ major }) => major),
    [0, 1, 2, 3, 100, 101, 102, 103, 200, 201],
  )
  assert.equal(beacons[4]?.relevantText, 'Store 1 is near')
})

test('a store that is not known gives no places', () => {
  assert.equal(relevantPlaces(createStoreIndex(street(3)), 'gone'), noPlaces)
})

test('the digest changes exactly with what is carried', () => {
  const digest = (stores: Store[]) => relevantPlaces(createStoreIndex(stores), 's00').digest
  const base = digest(street(12))
  const change = (id: string, fields: Partial<Store>) =>
    digest(street(12).map((store) => (store.storeId === id ? { ...store, ...fields } : store)))
  assert.equal(digest(street(12).reverse()), base)
  assert.equal(change('s00', { address: 'a new door' }), base)
  assert.equal(change('s11', { name: 'an eleventh store' }), base)
  assert.notEqual(change('s01', { name: 'a new name' }), base)
  assert.notEqual(change('s01', { relevantText: '' }), base)
  assert.notEqual(change('s01', { longitude: 0.0101 }), base)
  assert.notEqual(change('s09', { beacons: [beacon(1)] }), base)
})
