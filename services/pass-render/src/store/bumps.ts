import type { Sql } from '@stampede/platform'
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

/** One row of a message's audience: who of 8,192 passes carries it. */
export interface NewBump extends MessagePlace {
  readonly messageId: string
  readonly index: number
  readonly base: bigint
  /** Only those who may be told: consent and status are applied before. */
  readonly bitmap: Buffer
}

/** Stores a row; false when it is there already (a redelivery). */
export async function insertBump(tx: Sql, brand: string, bump: NewBump, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO bump (brand, base, rank, seq, message_id, chunk_index, bitmap, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING 1`,
    [brand, bump.base, bump.rank, bump.seq, bump.messageId, bump.index, bump.bitmap, now],
  )
  return rows.length > 0
}

/** Numbers in the row that must not be told: no consent, blocked or erased. */
export async function silentNumbers(tx: Sql, brand: string, base: bigint, count: number): Promise<readonly bigint[]> {
  const rows = await tx.query<{ no: bigint }>(
    `SELECT no FROM pass WHERE brand = $1 AND no >= $2 AND no < $2::bigint + $3::int
     AND NOT (marketing_consent AND status = 'active')`,
    [brand, base, count],
  )
  return rows.map((row) => row.no)
}

/** When a row of a message was stored, and its tokens attached. */
export async function bumpTime(sql: Sql, brand: string, messageId: string, index: number): Promise<Date | undefined> {
  const rows = await sql.query<{ created_at: Date }>(
    `SELECT u.created_at FROM message m JOIN bump u ON u.brand = m.brand AND u.seq = m.seq
     WHERE m.brand = $1 AND m.message_id = $2 AND u.chunk_index = $3`,
    [brand, messageId, index],
  )
  return rows[0]?.created_at
}
