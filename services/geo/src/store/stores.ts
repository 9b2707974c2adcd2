import type { Sql } from '@stampede/platform'
import type { Store, StoreBeacon } from '@stampede/proto/geo/v1'

interface StoreColumns {
  store_id: string
  name: string
  latitude: number
  longitude: number
  address: string
  relevant_text: string
  beacons: BeaconJson[]
}

interface BeaconJson {
  readonly proximityUuid: string
  readonly major?: number
  readonly minor?: number
}

/** Creates or replaces stores; returns how many are new or differ from what was stored. */
export async function putStores(tx: Sql, brand: string, stores: readonly Store[]): Promise<number> {
  const changed = await tx.query<{ one: number }>(
    `INSERT INTO store (brand, store_id, name, latitude, longitude, address, relevant_text, beacons)
     SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::double precision[], $5::double precision[], $6::text[],
       $7::text[], $8::jsonb[]) AS n (store_id, name, latitude, longitude, address, relevant_text, beacons)
     ORDER BY n.store_id
     ON CONFLICT (brand, store_id) DO UPDATE SET name = excluded.name, latitude = excluded.latitude,
       longitude = excluded.longitude, address = excluded.address, relevant_text = excluded.relevant_text,
       beacons = excluded.beacons
     WHERE (store.name, store.latitude, store.longitude, store.address, store.relevant_text, store.beacons)
       IS DISTINCT FROM (excluded.name, excluded.latitude, excluded.longitude, excluded.address,
       excluded.relevant_text, excluded.beacons)
     RETURNING 1 AS one`,
    [
      brand,
      stores.map((store) => store.storeId),
      stores.map((store) => store.name),
      stores.map((store) => store.latitude),
      stores.map((store) => store.longitude),
      stores.map((store) => store.address),
      stores.map((store) => store.relevantText),
      stores.map((store) => JSON.stringify(store.beacons)),
    ],
  )
  return changed.length
}

/** Up to `limit` stores behind an id, in the order of ids. */
export async function listStores(sql: Sql, brand: string, afterId: string, limit: number): Promise<readonly Store[]> {
  const rows = await sql.query<StoreColumns>(
    `SELECT store_id, name, latitude, longitude, address, relevant_text, beacons FROM store
     WHERE brand = $1 AND store_id > $2 ORDER BY store_id LIMIT $3`,
    [brand, afterId, limit],
  )
  return rows.map(fromColumns)
}

function fromColumns(row: StoreColumns): Store {
  return {
    storeId: row.store_id,
    name: row.name,
    latitude: row.latitude,
    longitude: row.longitude,
    address: row.address,
    relevantText: row.relevant_text,
    beacons: row.beacons.map(({ proximityUuid, major, minor }): StoreBeacon => ({ proximityUuid, major, minor })),
  }
}
