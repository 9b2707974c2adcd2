import type { Sql } from '@stampede/platform'
import { ReferralProgramme as ProgrammeMessage } from '@stampede/proto/referrals/v1'
import type { ReferralProgramme } from '../../domain/referrals/programme.ts'
import { referralProgrammeOf } from '../../referral-message.ts'

/** A version of a brand's referral programme as it was published. */
export interface StoredReferralProgramme {
  readonly version: number
  readonly message: ProgrammeMessage
}

/** A version of the programme, the newest without one; undefined where there is none. */
export async function readReferralProgramme(
  sql: Sql,
  brand: string,
  version?: number,
): Promise<StoredReferralProgramme | undefined> {
  const [row] = await sql.query<{ version: number; message: Buffer }>({
    name: 'ledger-read-referral-programme',
    text: `SELECT version, message FROM referral_programme WHERE brand = $1 AND version = coalesce($2, version)
      ORDER BY version DESC LIMIT 1`,
    values: [brand, version ?? null],
  })
  return row === undefined ? undefined : { version: row.version, message: ProgrammeMessage.decode(row.message) }
}

/** The rules of a version; undefined where there is none. */
export async function referralRules(sql: Sql, brand: string, version?: number): Promise<ReferralProgramme | undefined> {
  const stored = await readReferralProgramme(sql, brand, version)
  return stored === undefined ? undefined : referralProgrammeOf(stored.message, stored.version)
}

/** Adds a version; one that is there already fails the transaction. */
export async function insertReferralProgramme(
  tx: Sql,
  brand: string,
  { version, message }: StoredReferralProgramme,
  now: Date,
): Promise<void> {
  await tx.query('INSERT INTO referral_programme (brand, version, message, created_at) VALUES ($1, $2, $3, $4)', [
    brand,
    version,
    Buffer.from(ProgrammeMessage.encode(message).finish()),
    now,
  ])
}

/** Which of the brands have a referral programme. */
export async function readReferringBrands(sql: Sql, brands: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ brand: string }>({
    name: 'ledger-read-referring-brands',
    text: 'SELECT brand FROM referral_programme WHERE brand = ANY($1::text[]) AND version = 1',
    values: [brands],
  })
  return new Set(rows.map(({ brand }) => brand))
}
