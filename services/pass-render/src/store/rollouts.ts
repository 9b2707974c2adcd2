import type { Sql } from '@stampede/platform'

/** A design version on its way to the devices. */
export interface Rollout {
  readonly brand: string
  /** Whose cards follow; empty: all of the brand's. */
  readonly templateId: string
  readonly designVersion: bigint
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
  }
  const rows = await tx.query<Row>({
    name: 'rollout-take',
    text: `SELECT brand, template_id, design_version, after_device, parts, devices_done, next_google_no FROM rollout
     ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED`,
  })
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    brand: row.brand,
    templateId: row.template_id,
    designVersion: row.design_version,
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
  /** Whether Google's objects look different too, so that each must be written anew. */
  readonly googleObjects: boolean
}

/** Starts the way of a publication to the phones, anew if an earlier one is still on its way. */
export async function startRollout(tx: Sql, brand: string, rollout: NewRollout): Promise<void> {
  await tx.query(
    `INSERT INTO rollout AS r (brand, template_id, design_version, next_google_no) VALUES ($1, $2, $3, $4)
     ON CONFLICT (brand, template_id) DO UPDATE SET design_version = $3, after_device = '', parts = 0,
       devices_done = false, next_google_no = coalesce($4, r.next_google_no)`,
    [brand, rollout.templateId, rollout.seq, rollout.googleObjects ? 0n : null],
  )
}
