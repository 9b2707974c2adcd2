import type { Sql } from '@stampede/platform'

/** A design version on its way to the devices. */
export interface Rollout {
  readonly brand: string
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
    readonly design_version: bigint
    readonly after_device: string
    readonly parts: number
    readonly devices_done: boolean
    readonly next_google_no: bigint | null
  }
  const rows = await tx.query<Row>({
    name: 'rollout-take',
    text: `SELECT brand, design_version, after_device, parts, devices_done, next_google_no FROM rollout
     ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED`,
  })
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    brand: row.brand,
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
    'UPDATE rollout SET after_device = $2, parts = $3, devices_done = $4, next_google_no = $5 WHERE brand = $1',
    [rollout.brand, rollout.afterDevice, rollout.parts, rollout.devicesDone, rollout.nextGoogleNo ?? null],
  )
}

/** Ends a taken rollout. */
export async function endRollout(tx: Sql, brand: string): Promise<void> {
  await tx.query('DELETE FROM rollout WHERE brand = $1', [brand])
}
