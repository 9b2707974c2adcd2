import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '@stampede/proto/geo/v1'
import { checkPoint, checkStores } from './check-store.ts'

const uuid = 'F7826DA6-4FA2-4E98-8024-BC5B71E0893E'
const store: Store = {
  storeId: 'LON_1.a-b',
  name: 'London',
  latitude: 51.5,
  longitude: -0.12,
  address: '1 High Street',
  relevantText: 'Welcome',
  beacons: [{ proximityUuid: uuid, major: 1, minor: undefined }],
}

test('a store passes; the UUID of a beacon comes in small letters', () => {
  const [checked] = checkStores([store])
  assert.deepEqual(checked, { ...store, beacons: [{ proximityUuid: uuid.toLowerCase(), major: 1, minor: undefined }] })
})

const wrong: readonly (readonly [string, Partial<Store>, string])[] = [
  ['no id', { storeId: '' }, 'stores[0].store_id'],
  ['an id with a space', { storeId: 'a b' }, 'stores[0].store_id'],
  ['no name', { name: '' }, 'stores[0].name'],
  ['a latitude beyond the pole', { latitude: 90.1 }, 'stores[0].latitude'],
  ['a latitude that is no number', { latitude: Number.NaN }, 'stores[0].latitude'],
  ['an endless longitude', { longitude: Number.POSITIVE_INFINITY }, 'stores[0].longitude'],
  ['an address of 201 characters', { address: 'x'.repeat(201) }, 'stores[0].address'],
  ['a text of 121 characters', { relevantText: 'x'.repeat(121) }, 'stores[0].relevant_text'],
  [
    '11 beacons',
    { beacons: Array.from({ length: 11 }, () => ({ proximityUuid: uuid, major: 1, minor: 1 })) },
    'stores[0].beacons',
  ],
  [
    'a beacon without UUID',
    { beacons: [{ proximityUuid: 'x', major: 1, minor: 1 }] },
    'stores[0].beacons[0].proximity_uuid',
  ],
  ['a major of 65,536', { beacons: [{ proximityUuid: uuid, major: 65_536, minor: 1 }] }, 'stores[0].beacons[0].major'],
]
for (const [name, change, field] of wrong) {
  test(`${name} is refused as ${field}`, () => {
    assert.throws(() => checkStores([{ ...store, ...change }]), { code: 'INVALID_ARGUMENT', field })
  })
}

test('an id that comes twice is refused', () => {
  assert.throws(() => checkStores([store, store]), { code: 'INVALID_ARGUMENT', field: 'stores[1].store_id' })
})

test('minus zero becomes zero', () => {
  assert.ok(Object.is(checkPoint({ latitude: -0, longitude: -0 }).latitude, 0))
})
