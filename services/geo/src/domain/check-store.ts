import { checkInt, checkList, checkText, checkUuid, invalidArgument } from '@stampede/platform'
import type { Store, StoreBeacon } from '@stampede/proto/geo/v1'
import type { Point } from './sphere.ts'

const NAME_MAX = 80
const ADDRESS_MAX = 200
const RELEVANT_TEXT_MAX = 120
const STORE_BEACONS_MAX = 10
const UINT16_MAX = 65_535

/** Shape of a store's id. */
export const storeIdPattern = /^[A-Za-z0-9._-]{1,64}$/

/** The stores, if each keeps its limits and no id comes twice; else INVALID_ARGUMENT naming the field. */
export function checkStores(stores: readonly Store[]): readonly Store[] {
  const seen = new Set<string>()
  return stores.map((store, index) => {
    const field = `stores[${index}]`
    const checked = checkStore(store, field)
    if (seen.has(checked.storeId)) throw invalidArgument(`${field}.store_id`, 'comes twice in this request')
    seen.add(checked.storeId)
    return checked
  })
}

/** The point, if it is one on Earth. */
export function checkPoint(point: Point, prefix = ''): Point {
  return {
    latitude: checkDegrees(point.latitude, `${prefix}latitude`, 90),
    longitude: checkDegrees(point.longitude, `${prefix}longitude`, 180),
  }
}

function checkStore(store: Store, field: string): Store {
  return {
    storeId: checkText(store.storeId, `${field}.store_id`, { min: 1, pattern: storeIdPattern }),
    name: checkText(store.name, `${field}.name`, { min: 1, max: NAME_MAX }),
    ...checkPoint(store, `${field}.`),
    address: checkText(store.address, `${field}.address`, { max: ADDRESS_MAX }),
    relevantText: checkText(store.relevantText, `${field}.relevant_text`, { max: RELEVANT_TEXT_MAX }),
    beacons: checkList(store.beacons, `${field}.beacons`, { max: STORE_BEACONS_MAX }).map((beacon, index) =>
      checkBeacon(beacon, `${field}.beacons[${index}]`),
    ),
  }
}

function checkBeacon(beacon: StoreBeacon, field: string): StoreBeacon {
  return {
    proximityUuid: checkUuid(beacon.proximityUuid, `${field}.proximity_uuid`),
    major: checkUint16(beacon.major, `${field}.major`),
    minor: checkUint16(beacon.minor, `${field}.minor`),
  }
}

function checkUint16(value: number | undefined, field: string): number | undefined {
  return value === undefined ? undefined : checkInt(value, field, { min: 0, max: UINT16_MAX })
}

function checkDegrees(value: number, field: string, max: number): number {
  if (!Number.isFinite(value) || Math.abs(value) > max)
    throw invalidArgument(field, `must be a number of degrees from -${max} to ${max}`)
  // Minus zero would be another value to the digest and the same one to PostgreSQL.
  return value + 0
}
