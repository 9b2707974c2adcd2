import type { Sql } from '@stampede/platform'
import type { Buckets } from '../domain/publication.ts'
import { bucketSql } from './passes.ts'
import type { Recipient } from './registrations.ts'

/** A design version on its way to the devices. */
export interface Rollout {
  readonly brand: string
  /** Whose cards follow; empty: all of the brand's. */
  readonly templateId: string
  readonly designVersion: bigint
  /** Whose cards show something else since. */
  readonly buckets: Buckets
  /** Last device that has its push. */
  readonly afterDevice: string
  /** Chunks made so far. */
  readonly parts: number
  readonly devicesDone: boolean
  /** Next pass whose Google object is written anew; undefined when none is. */
  readonly nextGoogleNo: bigint | undefined
}

/** Takes one open rollout that no other replica works on, locked until the end of the transaction. */
export async function takeRollout(tx: Sql): Promise<Rollout | undefined> {
  interface Row {
    readonly brand: string
    readonly template_id: string
    readonly design_version: bigint
    readonly after_device: string
    readonly parts: number
    readonly devices_done: boolean
    readonly next_google_no: bigint | null
    readonly from_bucket: number
    readonly end_bucket: number
  }
  const rows = await tx.query<Row>({
    name: 'rollout-take',
    text: `SELECT brand, template_id, design_version, after_device, parts, devices_done, next_google_no, from_bucket,
       end_bucket FROM rollout
     ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED`,
  })
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    brand: row.brand,
    templateId: row.template_id,
    designVersion: row.design_version,
    buckets: { from: row.from_bucket, end: row.end_bucket },
    afterDevice: row.after_device,
    parts: row.parts,
    devicesDone: row.devices_done,
    nextGoogleNo: row.next_google_no ?? undefined,
  }
}

/** Remembers how far a taken rollout is. */
export async function saveRollout(tx: Sql, rollout: Rollout): Promise<void> {
  await tx.query(
    `UPDATE rollout SET after_device = $3, parts = $4, devices_done = $5, next_google_no = $6
     WHERE brand = $1 AND template_id = $2`,
    [
      rollout.brand,
      rollout.templateId,
      rollout.afterDevice,
      rollout.parts,
      rollout.devicesDone,
      rollout.nextGoogleNo ?? null,
    ],
  )
}

/** Ends a taken rollout. */
export async function endRollout(tx: Sql, { brand, templateId }: Rollout): Promise<void> {
  await tx.query('DELETE FROM rollout WHERE brand = $1 AND template_id = $2', [brand, templateId])
}

/** What a new publication brings to its cards. */
export interface NewRollout {
  readonly templateId: string
  readonly seq: bigint
  readonly buckets: Buckets
  /** Whether Google's objects look different too, so that each must be written anew. */
  readonly googleObjects: boolean
}

/** Starts the way of a publication to the phones, anew if an earlier one is still on its way. */
export async function startRollout(tx: Sql, brand: string, rollout: NewRollout): Promise<void> {
  await tx.query(
    `INSERT INTO rollout AS r (brand, template_id, design_version, next_google_no, from_bucket, end_bucket)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (brand, template_id) DO UPDATE SET design_version = $3, after_device = '', parts = 0,
       devices_done = false, next_google_no = coalesce($4, r.next_google_no),
       from_bucket = least(r.from_bucket, $5), end_bucket = greatest(r.end_bucket, $6)`,
    [
      brand,
      rollout.templateId,
      rollout.seq,
      rollout.googleObjects ? 0n : null,
      rollout.buckets.from,
      rollout.buckets.end,
    ],
  )
}

/** Next devices that have a card which the rollout reaches, in the order of their ids. */
export async function rolloutRecipients(tx: Sql, rollout: Rollout, limit: number): Promise<readonly Recipient[]> {
  interface Row {
    readonly no: bigint
    readonly device_library_id: string
    readonly push_token: Buffer
  }
  const { brand, templateId, afterDevice, buckets } = rollout
  const rows = await tx.query<Row>({
    name: 'rollout-recipients',
    text: `SELECT g.no, d.device_library_id, d.push_token FROM device d
     JOIN LATERAL (SELECT min(p.no) AS no FROM registration r JOIN pass p ON p.brand = r.brand AND p.no = r.no
       WHERE r.brand = d.brand AND r.device_library_id = d.device_library_id
         AND ($3 = '' OR p.template_id = $3) AND ${bucketSql} >= $4 AND ${bucketSql} < $5) g ON g.no IS NOT NULL
     WHERE d.brand = $1 AND d.device_library_id > $2 ORDER BY d.device_library_id LIMIT $6`,
    values: [brand, afterDevice, templateId, buckets.from, buckets.end, limit],
  })
  return rows.map((row) => ({ no: row.no, deviceLibraryId: row.device_library_id, pushToken: row.push_token }))
}
