import type { Sql } from '@stampede/platform'
import { type Claim, claimId, type EarlierRequest, type Known } from '../domain/decide.ts'
import type { IndexKind } from '../domain/keys.ts'

/** Operation name of enrolments in the table of requests: a key means the same in Enroll and ImportMembers. */
const OPERATION = 'enroll'

/** A member as stored, with the key that opens the personal part. */
export interface MemberRow {
  /** UUIDv7. */
  readonly memberId: string
  /** Position in the brand's order of enrolment. */
  readonly seq: bigint
  readonly cardNumber: string
  /** active, blocked or erased. */
  readonly status: string
  /** BCP 47. */
  readonly locale: string
  readonly marketingConsent: boolean
  readonly storeId: string
  readonly enrolledAt: Date
  readonly keyVersion: number
  /** The member's key under the master key; null after erasure. */
  readonly wrappedKey: Buffer | null
  /** Personal values under the member's key. */
  readonly personal: Buffer
}

/** A member about to be stored, with all that it occupies. */
export interface NewMemberRow extends MemberRow {
  readonly wrappedKey: Buffer
  readonly idempotencyKey: string
  /** Hexadecimal. */
  readonly bodyHash: string
  readonly claims: readonly Claim[]
}

/** A member's key as stored. */
export interface MemberKeyRow {
  readonly memberId: string
  readonly keyVersion: number
  readonly wrapped: Buffer
}

interface MemberColumns {
  member_id: string
  seq: bigint
  card_number: string
  status: string
  locale: string
  marketing_consent: boolean
  store_id: string
  enrolled_at: Date
  key_version: number
  wrapped: Buffer | null
  personal: Buffer
}

const selectMember = `
  SELECT m.member_id, m.seq, m.card_number, m.status, m.locale, m.marketing_consent, m.store_id, m.enrolled_at,
    m.key_version, m.personal, k.wrapped
  FROM member m
  LEFT JOIN member_key k ON k.brand = m.brand AND k.member_id = m.member_id AND k.key_version = m.key_version`

/** What is known of a batch's idempotency keys and claims: two statements, whatever the size. */
export async function readKnown(
  tx: Sql,
  brand: string,
  keys: readonly string[],
  claims: readonly Claim[],
): Promise<Known> {
  // Claims first: whoever made one committed its request with it, which the second statement then sees too. The other
  // way round, a repeat of a request that commits in between would find its own e-mail address taken.
  const taken = await tx.query<{ kind: IndexKind; value: string }>(
    `SELECT i.kind, encode(i.value, 'hex') AS value
     FROM member_index i
     WHERE i.brand = $1 AND (i.kind, i.value) IN (SELECT kind, decode(value, 'hex') FROM unnest($2::text[], $3::text[]) AS c (kind, value))`,
    [brand, claims.map((claim) => claim.kind), claims.map((claim) => claim.value)],
  )
  const requests = await tx.query<{ idempotency_key: string; body_hash: string; result_id: string }>(
    `SELECT idempotency_key, encode(body_hash, 'hex') AS body_hash, result_id FROM request
     WHERE scope = $1 AND operation = $2 AND idempotency_key = ANY($3)`,
    [brand, OPERATION, keys],
  )
  return {
    requests: new Map(
      requests.map((row): [string, EarlierRequest] => [
        row.idempotency_key,
        { bodyHash: row.body_hash, memberId: row.result_id },
      ]),
    ),
    claimed: new Set(taken.map(claimId)),
  }
}

/**
 * Occupies the idempotency keys and claims of new members; false if another transaction was faster with one of
 * them, after which nothing more may be written in this one. In sorted order, so that two batches do not deadlock.
 */
export async function occupy(tx: Sql, brand: string, rows: readonly NewMemberRow[]): Promise<boolean> {
  const requests = await tx.query<{ one: number }>(
    `INSERT INTO request (scope, operation, idempotency_key, body_hash, result_id, created_at)
     SELECT $1, $2, n.key, decode(n.body_hash, 'hex'), n.member_id, n.created_at
     FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[]) AS n (key, body_hash, member_id, created_at)
     ORDER BY n.key
     ON CONFLICT DO NOTHING
     RETURNING 1 AS one`,
    [
      brand,
      OPERATION,
      rows.map((row) => row.idempotencyKey),
      rows.map((row) => row.bodyHash),
      rows.map((row) => row.memberId),
      rows.map((row) => row.enrolledAt),
    ],
  )
  if (requests.length < rows.length) return false
  const claims = rows.flatMap((row) => row.claims.map((claim) => ({ ...claim, memberId: row.memberId })))
  const indexed = await tx.query<{ one: number }>(
    `INSERT INTO member_index (brand, kind, value, member_id)
     SELECT $1, n.kind, decode(n.value, 'hex'), n.member_id::uuid
     FROM unnest($2::text[], $3::text[], $4::text[]) AS n (kind, value, member_id)
     ORDER BY n.kind, n.value
     ON CONFLICT DO NOTHING
     RETURNING 1 AS one`,
    [
      brand,
      claims.map((claim) => claim.kind),
      claims.map((claim) => claim.value),
      claims.map((claim) => claim.memberId),
    ],
  )
  return indexed.length === claims.length
}

/** Inserts new members with keys and cards: three statements, whatever the number. */
export async function insertMembers(tx: Sql, brand: string, rows: readonly NewMemberRow[]): Promise<void> {
  const ids = rows.map((row) => row.memberId)
  const versions = rows.map((row) => row.keyVersion)
  const numbers = rows.map((row) => row.cardNumber)
  const dates = rows.map((row) => row.enrolledAt)
  await tx.query(
    `INSERT INTO member (brand, member_id, seq, version, card_number, status, locale, marketing_consent, store_id,
       enrolled_at, key_version, personal)
     SELECT $1, n.member_id, n.seq, 1, n.card_number, n.status, n.locale, n.consent, n.store_id, n.enrolled_at,
       n.key_version, n.personal
     FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[],
       $9::timestamptz[], $10::integer[], $11::bytea[])
       AS n (member_id, seq, card_number, status, locale, consent, store_id, enrolled_at, key_version, personal)`,
    [
      brand,
      ids,
      rows.map((row) => row.seq),
      numbers,
      rows.map((row) => row.status),
      rows.map((row) => row.locale),
      rows.map((row) => row.marketingConsent),
      rows.map((row) => row.storeId),
      dates,
      versions,
      rows.map((row) => row.personal),
    ],
  )
  await tx.query(
    `INSERT INTO member_key (brand, member_id, key_version, wrapped)
     SELECT $1, n.member_id, n.key_version, n.wrapped
     FROM unnest($2::uuid[], $3::integer[], $4::bytea[]) AS n (member_id, key_version, wrapped)`,
    [brand, ids, versions, rows.map((row) => row.wrappedKey)],
  )
  await tx.query(
    `INSERT INTO card (brand, card_number, member_id, issued_at)
     SELECT $1, n.card_number, n.member_id, n.issued_at
     FROM unnest($2::text[], $3::uuid[], $4::timestamptz[]) AS n (card_number, member_id, issued_at)`,
    [brand, numbers, ids, dates],
  )
}

/** Members by id; unknown ones are left out. */
export async function findMembers(sql: Sql, brand: string, ids: readonly string[]): Promise<readonly MemberRow[]> {
  const rows = await sql.query<MemberColumns>(`${selectMember} WHERE m.brand = $1 AND m.member_id = ANY($2::uuid[])`, [
    brand,
    ids,
  ])
  return rows.map(fromColumns)
}

/** Id of the member that holds a card. */
export async function findMemberIdByCard(sql: Sql, brand: string, cardNumber: string): Promise<string | undefined> {
  const [row] = await sql.query<{ member_id: string }>(
    'SELECT member_id FROM card WHERE brand = $1 AND card_number = $2',
    [brand, cardNumber],
  )
  return row?.member_id
}

/** Id of the member at an index value. */
export async function findMemberIdByIndex(
  sql: Sql,
  brand: string,
  kind: IndexKind,
  value: Buffer,
): Promise<string | undefined> {
  const [row] = await sql.query<{ member_id: string }>(
    'SELECT member_id FROM member_index WHERE brand = $1 AND kind = $2 AND value = $3',
    [brand, kind, value],
  )
  return row?.member_id
}

/** Up to `limit` members behind a position, in the order of enrolment. */
export async function listMembers(
  sql: Sql,
  brand: string,
  afterSeq: bigint,
  limit: number,
): Promise<readonly MemberRow[]> {
  const rows = await sql.query<MemberColumns>(
    `${selectMember} WHERE m.brand = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3`,
    [brand, afterSeq, limit],
  )
  return rows.map(fromColumns)
}

/** All versions of members' keys; unknown and erased members are left out. */
export async function findMemberKeys(
  sql: Sql,
  brand: string,
  ids: readonly string[],
): Promise<readonly MemberKeyRow[]> {
  const rows = await sql.query<{ member_id: string; key_version: number; wrapped: Buffer }>(
    `SELECT member_id, key_version, wrapped FROM member_key WHERE brand = $1 AND member_id = ANY($2::uuid[])
     ORDER BY member_id, key_version`,
    [brand, ids],
  )
  return rows.map((row) => ({ memberId: row.member_id, keyVersion: row.key_version, wrapped: row.wrapped }))
}

function fromColumns(row: MemberColumns): MemberRow {
  return {
    memberId: row.member_id,
    seq: row.seq,
    cardNumber: row.card_number,
    status: row.status,
    locale: row.locale,
    marketingConsent: row.marketing_consent,
    storeId: row.store_id,
    enrolledAt: row.enrolled_at,
    keyVersion: row.key_version,
    wrappedKey: row.wrapped,
    personal: row.personal,
  }
}
