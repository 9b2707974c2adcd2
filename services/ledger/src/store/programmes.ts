import type { Sql } from '@stampede/platform'
import { Programme as ProgrammeMessage } from '@stampede/proto/programmes/v1'
import type { Programme } from '../domain/programme.ts'
import { rulesOf } from '../programme-message.ts'

/** A version as it was published. */
export interface StoredProgramme {
  readonly brand: string
  readonly version: number
  /** Unix milliseconds, -Infinity for all receipts. */
  readonly effectiveAtMs: number
  readonly message: ProgrammeMessage
}

interface Key {
  readonly brand: string
  readonly version: number
}

interface RawProgramme extends Key {
  readonly effective_at: Date | null
  readonly message: Buffer
}

/** Versions kept at most, over all brands. */
const KEPT_MAX = 10_000

/** Programmes as every flush needs them: versions never change, so each is read and taken apart once. */
export class Programmes {
  readonly #kept = new Map<string, Programme>()

  /** All versions of the brands, in their order; a brand without any is left out. */
  async of(sql: Sql, brands: readonly string[]): Promise<ReadonlyMap<string, readonly Programme[]>> {
    const keys = await sql.query<Key>({
      name: 'ledger-read-programme-versions',
      text: 'SELECT brand, version FROM programme WHERE brand = ANY ($1::text[]) ORDER BY brand, version',
      values: [[...brands]],
    })
    const missing = keys.filter((key) => !this.#kept.has(textOf(key)))
    if (missing.length > 0) await this.#read(sql, missing)
    const found = keys.flatMap((key) => {
      const programme = this.#kept.get(textOf(key))
      return programme === undefined ? [] : [{ brand: key.brand, programme }]
    })
    const byBrand = Map.groupBy(found, ({ brand }) => brand)
    return new Map([...byBrand].map(([brand, list]) => [brand, list.map(({ programme }) => programme)]))
  }

  async #read(sql: Sql, keys: readonly Key[]): Promise<void> {
    // More than it may keep are never read at once: a brand has a thousand versions, a flush a few brands.
    if (this.#kept.size + keys.length > KEPT_MAX) this.#kept.clear()
    for (const stored of await readProgrammes(sql, [...new Set(keys.map(({ brand }) => brand))])) {
      const { version, effectiveAtMs, message } = stored
      this.#kept.set(textOf(stored), { version, effectiveAtMs, ...rulesOf(message) })
    }
  }
}

function textOf({ brand, version }: Key): string {
  return `${brand}/${version}`
}

/** All versions of the brands, as published. */
export async function readProgrammes(sql: Sql, brands: readonly string[]): Promise<readonly StoredProgramme[]> {
  const rows = await sql.query<RawProgramme>({
    name: 'ledger-read-programmes',
    text: 'SELECT * FROM programme WHERE brand = ANY ($1::text[]) ORDER BY brand, version',
    values: [[...brands]],
  })
  return rows.map((row) => ({
    brand: row.brand,
    version: row.version,
    effectiveAtMs: row.effective_at?.getTime() ?? Number.NEGATIVE_INFINITY,
    message: ProgrammeMessage.decode(row.message),
  }))
}

/** Makes writers of one brand's programme wait for each other until the transaction ends. */
export async function lockProgramme(tx: Sql, brand: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.programme.' || $1, 0))`, [brand])
}

/** Adds a version. */
export async function insertProgramme(tx: Sql, programme: StoredProgramme, now: Date): Promise<void> {
  const { brand, version, effectiveAtMs, message } = programme
  await tx.query(
    'INSERT INTO programme (brand, version, effective_at, message, created_at) VALUES ($1, $2, $3, $4, $5)',
    [
      brand,
      version,
      Number.isFinite(effectiveAtMs) ? new Date(effectiveAtMs) : null,
      Buffer.from(ProgrammeMessage.encode({ ...message, holdSeconds: rulesOf(message).holdSeconds }).finish()),
      now,
    ],
  )
}
