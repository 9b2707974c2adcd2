import type { Sql } from '@stampede/platform'
import { DonationProgramme as ProgrammeMessage } from '@stampede/proto/donations/v1'
import type { DonationProgramme } from '../../domain/donations/donation.ts'
import { donationProgrammeOf } from '../../donation-message.ts'

/** A version of a brand's donation programme as it was published. */
export interface StoredDonationProgramme {
  readonly version: number
  readonly message: ProgrammeMessage
  readonly publishedAtMs: number
}

interface RawProgramme {
  readonly brand: string
  readonly version: number
  readonly message: Buffer
  readonly created_at: Date
}

/** The version in force; undefined where there is none. */
export async function readDonationProgramme(sql: Sql, brand: string): Promise<StoredDonationProgramme | undefined> {
  const [row] = await sql.query<RawProgramme>({
    name: 'ledger-read-donation-programme',
    text: 'SELECT * FROM donation_programme WHERE brand = $1 ORDER BY version DESC LIMIT 1',
    values: [brand],
  })
  return row && fromRow(row)
}

/** Rules of all versions of the brands that have any, oldest first, each from when it was published. */
export async function readDonationRules(
  sql: Sql,
  brands: readonly string[],
): Promise<ReadonlyMap<string, readonly (DonationProgramme & { readonly publishedAtMs: number })[]>> {
  const rows = await sql.query<RawProgramme>({
    name: 'ledger-read-donation-rules',
    text: 'SELECT * FROM donation_programme WHERE brand = ANY($1::text[]) ORDER BY brand, version',
    values: [brands],
  })
  const versions = rows.map((row) => {
    const { version, message, publishedAtMs } = fromRow(row)
    return { brand: row.brand, rules: { ...donationProgrammeOf(message, version), publishedAtMs } }
  })
  return new Map(
    [...Map.groupBy(versions, ({ brand }) => brand)].map(([brand, all]) => [brand, all.map(({ rules }) => rules)]),
  )
}

/** Adds a version; one that is there already fails the transaction. */
export async function insertDonationProgramme(
  tx: Sql,
  brand: string,
  { version, message, publishedAtMs }: StoredDonationProgramme,
): Promise<void> {
  await tx.query('INSERT INTO donation_programme (brand, version, message, created_at) VALUES ($1, $2, $3, $4)', [
    brand,
    version,
    Buffer.from(ProgrammeMessage.encode(message).finish()),
    new Date(publishedAtMs),
  ])
}

function fromRow(row: RawProgramme): StoredDonationProgramme {
  return {
    version: row.version,
    message: ProgrammeMessage.decode(row.message),
    publishedAtMs: row.created_at.getTime(),
  }
}
