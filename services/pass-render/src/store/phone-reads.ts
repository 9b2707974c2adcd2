import type { Sql } from '@stampede/platform'
import type { EffectiveVersion, ListedPass } from '../domain/version-tag.ts'
import { LookUps } from './look-ups.ts'
import { messageVersion, newestBump, type PassRecord, readPasses, shownDesign } from './passes.ts'

/** Most passes read for one device. */
export const MAX_PASSES_PER_DEVICE = 1_000

/** A device of a brand. */
export interface DeviceKey {
  readonly brand: string
  readonly deviceLibraryId: string
}

/** A pass of a brand; the serial is a UUID. */
export interface SerialKey {
  readonly brand: string
  readonly serial: string
}

/** What is needed to let a phone in and to say whether it has the newest version. */
export interface PassAccess extends EffectiveVersion {
  readonly no: bigint
  readonly authToken: Buffer
  readonly createdAt: Date
}

/** The reads that every phone causes, gathered into few statements. */
export interface PhoneReads {
  /** Passes of a device with their effective versions, at most MAX_PASSES_PER_DEVICE. */
  passesOfDevice(key: DeviceKey): Promise<readonly ListedPass[]>
  /** A pass by its serial; undefined when there is none. */
  access(key: SerialKey): Promise<PassAccess | undefined>
  /** The same with all that the pass shows. */
  pass(key: SerialKey): Promise<PassRecord | undefined>
}

interface VersionRow {
  /** Place of the key in the statement, from 1. */
  readonly place: number
  readonly no: bigint
  readonly version: bigint
  readonly design_version: bigint
  readonly message_seq: bigint
}

/** Starts to gather on a database. */
export function createPhoneReads(sql: Sql): PhoneReads {
  const lists = new LookUps((keys: readonly DeviceKey[]) => readLists(sql, keys))
  const accesses = new LookUps((keys: readonly SerialKey[]) => readAccesses(sql, keys))
  const passes = new LookUps((keys: readonly SerialKey[]) => readPasses(sql, keys))
  return {
    passesOfDevice: (key) => lists.get(key),
    access: (key) => accesses.get(key),
    pass: (key) => passes.get(key),
  }
}

const versionColumns = `p.no, p.version, ${shownDesign('seq')} AS design_version, ${messageVersion} AS message_seq`
const versionJoins = `LEFT JOIN template_state t ON t.brand = p.brand AND t.template_id = p.template_id
  LEFT JOIN LATERAL (${newestBump}) n ON true`

async function readLists(sql: Sql, keys: readonly DeviceKey[]): Promise<readonly (readonly ListedPass[])[]> {
  const rows = await sql.query<VersionRow & { readonly serial: string }>({
    name: 'phone-lists',
    text: `SELECT k.place::int, p.serial, ${versionColumns}
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (brand, device_library_id, place)
     CROSS JOIN LATERAL (SELECT g.no FROM registration g WHERE g.brand = k.brand
       AND g.device_library_id = k.device_library_id ORDER BY g.no LIMIT ${MAX_PASSES_PER_DEVICE}) g
     JOIN pass p ON p.brand = k.brand AND p.no = g.no
     ${versionJoins} ORDER BY k.place, p.no`,
    values: [keys.map((key) => key.brand), keys.map((key) => key.deviceLibraryId)],
  })
  const lists: ListedPass[][] = keys.map(() => [])
  for (const row of rows) lists[row.place - 1]?.push({ no: row.no, serial: row.serial, ...versionOf(row) })
  return lists
}

async function readAccesses(sql: Sql, keys: readonly SerialKey[]): Promise<readonly (PassAccess | undefined)[]> {
  const rows = await sql.query<VersionRow & { readonly auth_token: Buffer; readonly created_at: Date }>({
    name: 'phone-accesses',
    text: `SELECT k.place::int, p.auth_token, p.created_at, ${versionColumns}
     FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS k (brand, serial, place)
     JOIN pass p ON p.brand = k.brand AND p.serial = k.serial
     ${versionJoins}`,
    values: [keys.map((key) => key.brand), keys.map((key) => key.serial)],
  })
  const found: (PassAccess | undefined)[] = keys.map(() => undefined)
  for (const row of rows) {
    const { no, auth_token: authToken, created_at: createdAt } = row
    found[row.place - 1] = { no, authToken, createdAt, ...versionOf(row) }
  }
  return found
}

function versionOf(row: VersionRow): EffectiveVersion {
  return { version: row.version, designVersion: row.design_version, messageSeq: row.message_seq }
}

/** The devices of those passes that exactly one is registered for. */
export async function onlyDevices(
  sql: Sql,
  brand: string,
  nos: readonly bigint[],
): Promise<ReadonlyMap<bigint, string>> {
  const rows = await sql.query<{ readonly no: bigint; readonly device_library_id: string }>({
    name: 'phone-only-devices',
    text: `SELECT no, min(device_library_id) AS device_library_id FROM registration
     WHERE brand = $1 AND no = ANY($2::bigint[]) GROUP BY no HAVING count(*) = 1`,
    values: [brand, nos],
  })
  return new Map(rows.map((row) => [row.no, row.device_library_id]))
}
