import type { Sql } from '@stampede/platform'
import type { Touch } from '../../domain/referrals/attribution.ts'

/** Touches of a visitor that are looked at. */
const TOUCHES_MAX = 100
/** Days that touches are kept: no programme counts older ones. */
const TOUCH_KEPT_DAYS = 366

/** A keyed hash of something that people have one of. */
export interface Fingerprint {
  readonly kind: string
  readonly hash: string
}

/** The code that a member passes on; undefined before the first. */
export async function readCodeOf(sql: Sql, brand: string, memberId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ code: string }>({
    name: 'ledger-read-referral-code',
    text: 'SELECT code FROM referral_code WHERE member_id = $2 AND brand = $1',
    values: [brand, memberId],
  })
  return row?.code
}

/** Whose code it is; undefined for nobody's. */
export async function readAdvocate(sql: Sql, brand: string, code: string): Promise<string | undefined> {
  const [row] = await sql.query<{ member_id: string }>({
    name: 'ledger-read-referral-advocate',
    text: 'SELECT member_id FROM referral_code WHERE brand = $1 AND code = $2',
    values: [brand, code],
  })
  return row?.member_id
}

/** Gives a member a code unless there is one; answers the one there is. */
export async function ensureCode(tx: Sql, brand: string, memberId: string, code: string, now: Date): Promise<string> {
  await tx.query(
    `INSERT INTO referral_code (brand, code, member_id, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (member_id, brand) DO NOTHING`,
    [brand, code, memberId, now],
  )
  return (await readCodeOf(tx, brand, memberId)) ?? code
}

/** Notes a touch; the same once. */
export async function insertTouch(
  tx: Sql,
  brand: string,
  visitor: string,
  { advocateId, touchedAtMs }: Touch,
): Promise<void> {
  await tx.query(
    `INSERT INTO referral_touch (brand, visitor, touched_at, advocate_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [brand, visitor, new Date(touchedAtMs), advocateId],
  )
}

/** Touches of a visitor: the oldest and the newest ones. */
export async function readTouches(sql: Sql, brand: string, visitor: string): Promise<readonly Touch[]> {
  const rows = await sql.query<{ advocate_id: string; touched_at: Date }>({
    name: 'ledger-read-referral-touches',
    text: `(SELECT advocate_id, touched_at FROM referral_touch WHERE brand = $1 AND visitor = $2
        ORDER BY touched_at LIMIT $3)
      UNION (SELECT advocate_id, touched_at FROM referral_touch WHERE brand = $1 AND visitor = $2
        ORDER BY touched_at DESC LIMIT $3)`,
    values: [brand, visitor, TOUCHES_MAX],
  })
  return rows.map((row) => ({ advocateId: row.advocate_id, touchedAtMs: row.touched_at.getTime() }))
}

/** Forgets up to `limit` touches that no programme can count any more; answers how many. */
export async function forgetTouches(sql: Sql, now: Date, limit: number): Promise<number> {
  const rows = await sql.query({
    name: 'ledger-forget-referral-touches',
    text: `DELETE FROM referral_touch WHERE ctid IN (SELECT ctid FROM referral_touch
        WHERE touched_at < $1::timestamptz - make_interval(days => $2) LIMIT $3) RETURNING 1`,
    values: [now, TOUCH_KEPT_DAYS, limit],
  })
  return rows.length
}

/** Adds fingerprints of a member. */
export async function insertFingerprints(
  tx: Sql,
  brand: string,
  memberId: string,
  fingerprints: readonly Fingerprint[],
  now: Date,
): Promise<void> {
  await tx.query({
    name: 'ledger-insert-fingerprints',
    text: `INSERT INTO member_fingerprint (brand, hash, kind, member_id, recorded_at)
      SELECT $1, hash, kind, $2, $5 FROM unnest($3::text[], $4::text[]) n (hash, kind) ORDER BY hash, kind
      ON CONFLICT DO NOTHING`,
    values: [brand, memberId, fingerprints.map(({ hash }) => hash), fingerprints.map(({ kind }) => kind), now],
  })
}

/** Kinds of fingerprints that a member has in common with an advocate, and with other members who were brought before. */
export async function readShared(
  sql: Sql,
  brand: string,
  memberId: string,
  advocateId: string,
): Promise<{ readonly withAdvocate: readonly string[]; readonly withReferees: readonly string[] }> {
  const [row] = await sql.query<{ with_advocate: string[] | null; with_referees: string[] | null }>({
    name: 'ledger-read-shared-fingerprints',
    text: `SELECT array_agg(DISTINCT o.kind) FILTER (WHERE o.member_id = $3) AS with_advocate,
        array_agg(DISTINCT o.kind) FILTER (WHERE r.referral_id IS NOT NULL) AS with_referees
      FROM member_fingerprint f
      JOIN member_fingerprint o ON o.hash = f.hash AND o.kind = f.kind AND o.brand = f.brand AND o.member_id <> f.member_id
      LEFT JOIN referral r ON r.referee_id = o.member_id AND r.brand = o.brand
      WHERE f.member_id = $2 AND f.brand = $1`,
    values: [brand, memberId, advocateId],
  })
  return { withAdvocate: row?.with_advocate ?? [], withReferees: row?.with_referees ?? [] }
}
