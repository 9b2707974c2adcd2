import type { Sql } from '@stampede/platform'
import type { Programme } from '../domain/pricing.ts'

/** A version and its brand. */
export interface BrandProgramme {
  readonly brand: string
  readonly programme: Programme
}

interface RawProgramme {
  readonly brand: string
  readonly version: number
  readonly effective_at: Date | null
  readonly earn_basis_points: number
  readonly points_live_days: number
  readonly max_pay_basis_points: number
  readonly point_value_minor: bigint
  readonly hold_seconds: number
}

/** All versions of the brands. */
export async function readProgrammes(sql: Sql, brands: readonly string[]): Promise<readonly BrandProgramme[]> {
  const rows = await sql.query<RawProgramme>({
    name: 'ledger-read-programmes',
    text: 'SELECT * FROM programme WHERE brand = ANY ($1::text[]) ORDER BY brand, version',
    values: [[...brands]],
  })
  return rows.map((row) => ({
    brand: row.brand,
    programme: {
      version: row.version,
      effectiveAtMs: row.effective_at?.getTime() ?? Number.NEGATIVE_INFINITY,
      earnBasisPoints: BigInt(row.earn_basis_points),
      pointsLiveDays: row.points_live_days,
      maxPayBasisPoints: BigInt(row.max_pay_basis_points),
      pointValueMinor: row.point_value_minor,
      holdSeconds: row.hold_seconds,
    },
  }))
}

/** Makes writers of one brand's programme wait for each other until the transaction ends. */
export async function lockProgramme(tx: Sql, brand: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.programme.' || $1, 0))`, [brand])
}

/** Adds a version. */
export async function insertProgramme(tx: Sql, brand: string, programme: Programme, now: Date): Promise<void> {
  await tx.query(
    `INSERT INTO programme (brand, version, effective_at, earn_basis_points, points_live_days, max_pay_basis_points,
       point_value_minor, hold_seconds, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      brand,
      programme.version,
      Number.isFinite(programme.effectiveAtMs) ? new Date(programme.effectiveAtMs) : null,
      programme.earnBasisPoints,
      programme.pointsLiveDays,
      programme.maxPayBasisPoints,
      programme.pointValueMinor,
      programme.holdSeconds,
      now,
    ],
  )
}
