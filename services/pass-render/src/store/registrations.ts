import type { Sql } from '@stampede/platform'

/** Most devices of one pass; the oldest registration gives way. A phone may come under many ids in minutes. */
export const MAX_DEVICES_PER_PASS = 16

/** A pass that is installed somewhere else than before. */
export interface InstallsChange {
  readonly memberId: string
  readonly serial: string
  readonly no: bigint
  readonly cardNumber: string
  readonly devices: number
  /** Whether somebody has it in Google Wallet. */
  readonly googleSaved: boolean
  readonly eventVersion: bigint
}

/** What registering did. */
export type Registered = { readonly created: false } | { readonly created: true; readonly change: InstallsChange }

/** A phone's wish to be woken for a pass. */
export interface NewRegistration {
  readonly no: bigint
  readonly deviceLibraryId: string
  readonly pushToken: Buffer
}

/** Registers a device for a pass or refreshes its token; beyond the cap the oldest registrations go. */
export async function register(tx: Sql, brand: string, wish: NewRegistration, now: Date): Promise<Registered> {
  await lockPass(tx, brand, wish.no)
  const isAdded = await addRegistration(tx, brand, wish, now)
  if (!isAdded) return { created: false }
  const change = await recountOne(tx, brand, wish.no)
  if (change.devices <= MAX_DEVICES_PER_PASS) return { created: true, change }
  await dropOldest(tx, brand, wish)
  return { created: true, change: await recountOne(tx, brand, wish.no) }
}

/** Answers with whether the registration is new. A new token goes to all registrations of the device. */
async function addRegistration(tx: Sql, brand: string, wish: NewRegistration, now: Date): Promise<boolean> {
  const [row] = await tx.query<{ is_changed: boolean | null; is_added: boolean }>({
    name: 'registration-insert',
    text: `WITH named AS (
        INSERT INTO device (brand, device_library_id, push_token, confirmed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (brand, device_library_id) DO UPDATE SET push_token = $3, confirmed_at = $4
        RETURNING old.push_token <> new.push_token AS is_changed),
      added AS (
        INSERT INTO registration (brand, no, device_library_id, registered_at, push_token) VALUES ($1, $5, $2, $4, $3)
        ON CONFLICT DO NOTHING RETURNING 1)
      SELECT (SELECT is_changed FROM named), EXISTS (SELECT FROM added) AS is_added`,
    values: [brand, wish.deviceLibraryId, wish.pushToken, now, wish.no],
  })
  // In a statement of its own: only now is the device locked, and seen what others registered before with it.
  if (row?.is_changed === true) {
    await tx.query({
      name: 'registration-tokens',
      text: 'UPDATE registration SET push_token = $3 WHERE brand = $1 AND device_library_id = $2 AND push_token <> $3',
      values: [brand, wish.deviceLibraryId, wish.pushToken],
    })
  }
  return row?.is_added === true
}

/** The pass first, by everybody: it orders registrations of one pass, and with them its cap and its count. */
async function lockPass(tx: Sql, brand: string, no: bigint): Promise<void> {
  const text = 'SELECT 1 FROM pass WHERE brand = $1 AND no = $2 FOR UPDATE'
  await tx.query({ name: 'registration-lock-pass', text, values: [brand, no] })
}

async function dropOldest(tx: Sql, brand: string, wish: NewRegistration): Promise<void> {
  const dropped = await tx.query<{ device_library_id: string }>(
    `DELETE FROM registration WHERE brand = $1 AND no = $2 AND device_library_id IN (
       SELECT device_library_id FROM registration WHERE brand = $1 AND no = $2
       ORDER BY registered_at DESC, device_library_id = $3 DESC, device_library_id OFFSET $4)
     RETURNING device_library_id`,
    [brand, wish.no, wish.deviceLibraryId, MAX_DEVICES_PER_PASS],
  )
  const ids = dropped.map((row) => row.device_library_id)
  await dropIdleDevices(tx, brand, ids)
}

/** Ends a registration; undefined when there was none. */
export async function unregister(
  tx: Sql,
  brand: string,
  no: bigint,
  deviceLibraryId: string,
): Promise<InstallsChange | undefined> {
  await lockPass(tx, brand, no)
  const gone = await tx.query(
    'DELETE FROM registration WHERE brand = $1 AND no = $2 AND device_library_id = $3 RETURNING 1',
    [brand, no, deviceLibraryId],
  )
  if (gone.length === 0) return undefined
  await dropIdleDevices(tx, brand, [deviceLibraryId])
  return (await recount(tx, brand, [no]))[0]
}

async function dropIdleDevices(tx: Sql, brand: string, deviceLibraryIds: readonly string[]): Promise<void> {
  if (deviceLibraryIds.length === 0) return
  // Locked in a statement of its own: the next one then sees what a registration that was under way has written.
  await tx.query(
    'SELECT 1 FROM device WHERE brand = $1 AND device_library_id = ANY($2::text[]) ORDER BY device_library_id FOR UPDATE',
    [brand, deviceLibraryIds],
  )
  await tx.query(
    `DELETE FROM device d WHERE brand = $1 AND device_library_id = ANY($2::text[]) AND NOT EXISTS (
       SELECT 1 FROM registration r WHERE r.brand = d.brand AND r.device_library_id = d.device_library_id)`,
    [brand, deviceLibraryIds],
  )
}

interface ChangeRow {
  readonly kind: string
  readonly owner_id: string
  readonly serial: string
  readonly no: bigint
  readonly card_number: string
  readonly devices: number
  readonly google_saved: boolean
  readonly event_version: bigint
}

/** Counts the devices of a pass anew; for its next event. The pass must be locked. */
export async function recountOne(tx: Sql, brand: string, no: bigint): Promise<InstallsChange> {
  const [change] = await recount(tx, brand, [no])
  if (change === undefined) throw new Error('the pass was locked before')
  return change
}

async function recount(tx: Sql, brand: string, nos: readonly bigint[]): Promise<readonly InstallsChange[]> {
  const rows = await tx.query<ChangeRow>({
    name: 'registration-recount',
    text: `UPDATE pass p SET event_version = event_version + 1,
       devices = (SELECT count(*) FROM registration r WHERE r.brand = p.brand AND r.no = p.no)
     WHERE brand = $1 AND no = ANY($2::bigint[])
     RETURNING kind, owner_id, serial, no, card_number, devices, google_saved, event_version`,
    values: [brand, nos],
  })
  return rows.map((row) => ({
    // A pass without a member has an owner of our own, which means nothing to others.
    memberId: row.kind === 'member' ? row.owner_id : '',
    serial: row.serial,
    no: row.no,
    cardNumber: row.card_number,
    devices: row.devices,
    googleSaved: row.google_saved,
    eventVersion: row.event_version,
  }))
}

/** A token that APNs called dead. */
export interface DeadToken {
  readonly deviceLibraryId: string
  /** The phone must not have named its token after this instant, or it is another token. */
  readonly notConfirmedAfter: Date
}

/** Forgets devices with dead tokens; answers with the passes that lost one. */
export async function dropDeadDevices(
  tx: Sql,
  brand: string,
  dead: readonly DeadToken[],
): Promise<readonly InstallsChange[]> {
  const ids = dead.map((item) => item.deviceLibraryId)
  const times = dead.map((item) => item.notConfirmedAfter)
  // Passes first, in order, as every other writer does.
  await tx.query(
    `SELECT 1 FROM pass WHERE brand = $1 AND no IN (
       SELECT no FROM registration WHERE brand = $1 AND device_library_id = ANY($2::text[])) ORDER BY owner_id FOR UPDATE`,
    [brand, ids],
  )
  const gone = await tx.query<{ device_library_id: string }>(
    `DELETE FROM device d USING unnest($2::text[], $3::timestamptz[]) AS u (device_library_id, not_after)
     WHERE d.brand = $1 AND d.device_library_id = u.device_library_id AND d.confirmed_at <= u.not_after
     RETURNING d.device_library_id`,
    [brand, ids, times],
  )
  if (gone.length === 0) return []
  const ended = await tx.query<{ no: bigint }>(
    'DELETE FROM registration WHERE brand = $1 AND device_library_id = ANY($2::text[]) RETURNING no',
    [brand, gone.map((row) => row.device_library_id)],
  )
  return await recount(tx, brand, [...new Set(ended.map((row) => row.no))])
}

/** A phone to wake. */
export interface Recipient {
  readonly no: bigint
  readonly deviceLibraryId: string
  readonly pushToken: Buffer
}

interface RecipientRow {
  readonly no: bigint
  readonly device_library_id: string
  readonly push_token: Buffer
}

/** Devices of the passes, each once: one push makes the phone ask about all its passes of the type. */
export async function recipientsOf(sql: Sql, brand: string, nos: readonly bigint[]): Promise<readonly Recipient[]> {
  const rows = await sql.query<RecipientRow>({
    name: 'registration-recipients',
    text: `SELECT DISTINCT ON (device_library_id) no, device_library_id, push_token FROM registration
     WHERE brand = $1 AND no = ANY($2::bigint[]) ORDER BY device_library_id, no`,
    values: [brand, nos],
  })
  return rows.map(recipientOf)
}

function recipientOf(row: RecipientRow): Recipient {
  return { no: row.no, deviceLibraryId: row.device_library_id, pushToken: row.push_token }
}
