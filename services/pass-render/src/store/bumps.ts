import { passesPerRow, type Sql, withoutBits } from '@stampede/platform'
import { lockBrandState } from './brand-state.ts'

/** A message to many passes. */
export interface NewMessage {
  /** The campaign's id, or one of our own. */
  readonly messageId: string
  /** cards: of MessageCards. */
  readonly source: 'campaign' | 'cards'
  /** The campaign's sequence at campaigns; undefined: as high as the highest so far. */
  readonly rank: bigint | undefined
  /** stampede.events.v1.CampaignMessage */
  readonly body: Buffer
  /** Of the request that it came with; undefined for a campaign's. */
  readonly requestDigest?: Buffer
}

/** Where a message stands among those of its brand. */
export interface MessagePlace {
  /** The highest that holds a pass decides what it shows. */
  readonly rank: bigint
  /** Order of arrival. */
  readonly seq: bigint
}

/** Stores a message when it comes first; answers with its place among the brand's messages. */
export async function ensureMessage(tx: Sql, brand: string, message: NewMessage): Promise<MessagePlace> {
  const known = await findPlace(tx, brand, message.messageId)
  if (known !== undefined) return known
  await lockBrandState(tx, brand)
  // Another chunk of the message may have been first while this one waited.
  const since = await findPlace(tx, brand, message.messageId)
  if (since !== undefined) return since
  const rows = await tx.query<MessagePlace>(
    `WITH next AS (UPDATE brand_state SET message_seq = message_seq + 1 WHERE brand = $1 RETURNING message_seq)
     INSERT INTO message (brand, message_id, seq, source, body, request_digest, rank)
     SELECT $1, $2, message_seq, $3, $4, $6,
       coalesce($5, (SELECT max(rank) FROM message WHERE brand = $1), 0) FROM next RETURNING rank, seq`,
    [brand, message.messageId, message.source, message.body, message.rank, message.requestDigest],
  )
  const place = rows[0]
  if (place === undefined) throw new Error('the brand was locked before')
  return place
}

async function findPlace(tx: Sql, brand: string, messageId: string): Promise<MessagePlace | undefined> {
  const rows = await tx.query<MessagePlace>({
    name: 'message-place',
    text: 'SELECT rank, seq FROM message WHERE brand = $1 AND message_id = $2',
    values: [brand, messageId],
  })
  return rows[0]
}

/** Digest of the request behind a message; undefined when there is no such message. */
export async function findRequestDigest(tx: Sql, brand: string, messageId: string): Promise<Buffer | undefined> {
  const rows = await tx.query<{ request_digest: Buffer }>(
    'SELECT request_digest FROM message WHERE brand = $1 AND message_id = $2',
    [brand, messageId],
  )
  return rows[0]?.request_digest
}

/** One row of a message's audience: who of 8,192 passes is to carry it. */
export interface NewBump extends MessagePlace {
  readonly messageId: string
  readonly index: number
  /** A multiple of 8,192. */
  readonly base: bigint
  /** As it was addressed, the silent included. */
  readonly bitmap: Uint8Array
}

/** A row as it is stored. */
export interface StoredBump {
  readonly messageId: string
  readonly index: number
  readonly base: bigint
  /** Who carries the message: without those who must not be told. */
  readonly bitmap: Buffer
  /** Where the parts end that its phones are handed out in; undefined before they were looked up. */
  readonly partEnds: readonly number[] | undefined
  /** Whether all parts are on the stream. */
  readonly isHanded: boolean
  /** Whether this call stored it: not a redelivery. */
  readonly isNew: boolean
}

interface BumpRow {
  readonly message_id: string
  readonly chunk_index: number
  readonly base: bigint
  readonly bitmap: Buffer
  readonly part_ends: readonly number[] | null
  readonly handed_at: Date | null
  readonly is_new: boolean
}

/**
 * Gives messages to their passes, many rows at once; those that are there already (a redelivery) stay as they are.
 * Consent, status and lifecycle count now, not when the audience was frozen: who must not be told is taken out, and
 * keeps the old message.
 */
export async function insertBumps(
  tx: Sql,
  brand: string,
  bumps: readonly NewBump[],
  now: Date,
): Promise<readonly StoredBump[]> {
  const versions = await lockAudienceRows(tx, brand, bumps)
  const silent = await silentPlaces(
    tx,
    brand,
    bumps.map((bump) => bump.base),
  )
  const rows = await tx.query<BumpRow>({
    name: 'bump-insert',
    text: `INSERT INTO bump AS b (brand, base, rank, seq, message_id, chunk_index, bitmap, version, created_at)
     SELECT $1, u.*, $9::timestamptz FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::int[], $7::bytea[], $8::bigint[]) AS u
     ON CONFLICT (brand, message_id, chunk_index) DO UPDATE SET chunk_index = b.chunk_index
     RETURNING b.message_id, b.chunk_index, b.base, b.bitmap, b.part_ends, b.handed_at, old.base IS NULL AS is_new`,
    values: [
      brand,
      bumps.map((bump) => bump.base),
      bumps.map((bump) => bump.rank),
      bumps.map((bump) => bump.seq),
      bumps.map((bump) => bump.messageId),
      bumps.map((bump) => bump.index),
      bumps.map((bump) => withoutBits(bump.bitmap, silent.get(bump.base) ?? [])),
      versions,
      now,
    ],
  })
  return rows.map((row) => ({
    messageId: row.message_id,
    index: row.chunk_index,
    base: row.base,
    bitmap: row.bitmap,
    partEnds: row.part_ends ?? undefined,
    isHanded: row.handed_at !== null,
    isNew: row.is_new,
  }))
}

/**
 * Takes the next version of each bump's audience row, which stays locked until the transaction ends: bumps of one row
 * come one after another, and whoever withdraws consent meanwhile waits for them or they for him.
 */
async function lockAudienceRows(tx: Sql, brand: string, bumps: readonly NewBump[]): Promise<readonly bigint[]> {
  const rows = await tx.query<{ base: bigint; version: bigint }>({
    name: 'audience-row-lock',
    text: `INSERT INTO audience_row AS a (brand, base, version)
     SELECT $1, base, count(*) FROM unnest($2::bigint[]) AS base GROUP BY base ORDER BY base
     ON CONFLICT (brand, base) DO UPDATE SET version = a.version + excluded.version RETURNING base, version`,
    values: [brand, bumps.map((bump) => bump.base)],
  })
  const last = new Map(rows.map((row) => [row.base, row.version]))
  return bumps.map(({ base }) => {
    const version = last.get(base) ?? 0n
    last.set(base, version - 1n)
    return version
  })
}

/** Places in the rows that must not be told: no consent, blocked, erased, used, expired or replaced. */
export async function silentPlaces(
  tx: Sql,
  brand: string,
  bases: readonly bigint[],
): Promise<ReadonlyMap<bigint, readonly number[]>> {
  const rows = await tx.query<{ base: bigint; places: readonly number[] }>({
    name: 'bump-silent',
    text: `SELECT b.base, array_agg((p.no - b.base)::int) AS places FROM unnest($2::bigint[]) AS b (base)
     JOIN pass p ON p.brand = $1 AND p.no >= b.base AND p.no < b.base + ${passesPerRow}
     WHERE NOT (p.marketing_consent AND p.status = 'active' AND p.lifecycle = 'open') GROUP BY b.base`,
    values: [brand, [...new Set(bases)]],
  })
  return new Map(rows.map((row) => [row.base, row.places]))
}

/** A row of a message's audience by its place. */
export interface BumpKey {
  readonly messageId: string
  readonly index: number
}

/**
 * Fixes where the parts of a row end, unless another worker has done so first; answers with the ends that count. A part
 * then means the same passes whenever it is handed out, whatever is registered meanwhile.
 */
export async function fixParts(
  sql: Sql,
  brand: string,
  { messageId, index }: BumpKey,
  ends: readonly number[],
): Promise<readonly number[]> {
  const rows = await sql.query<{ part_ends: readonly number[] }>({
    name: 'bump-fix-parts',
    text: `UPDATE bump SET part_ends = coalesce(part_ends, $4::int[])
     WHERE brand = $1 AND message_id = $2 AND chunk_index = $3 RETURNING part_ends`,
    values: [brand, messageId, index, ends],
  })
  return rows[0]?.part_ends ?? ends
}

/** Says that all parts of the rows are on the stream: they are not handed out again. */
export async function markHanded(sql: Sql, brand: string, bumps: readonly BumpKey[], now: Date): Promise<void> {
  await sql.query({
    name: 'bump-mark-handed',
    text: `UPDATE bump b SET handed_at = $4 FROM unnest($2::text[], $3::int[]) AS u (message_id, chunk_index)
     WHERE b.brand = $1 AND b.message_id = u.message_id AND b.chunk_index = u.chunk_index`,
    values: [brand, bumps.map((bump) => bump.messageId), bumps.map((bump) => bump.index), now],
  })
}

/** When a row of a message was stored, and its tokens attached soon after. */
export async function bumpTime(sql: Sql, brand: string, messageId: string, index: number): Promise<Date | undefined> {
  const rows = await sql.query<{ created_at: Date }>({
    name: 'bump-time',
    text: 'SELECT created_at FROM bump WHERE brand = $1 AND message_id = $2 AND chunk_index = $3',
    values: [brand, messageId, index],
  })
  return rows[0]?.created_at
}
