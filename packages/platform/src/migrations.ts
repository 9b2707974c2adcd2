import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { Client } from 'pg'
import type { Logger } from './log.ts'
import { fromPostgres } from './postgres-errors.ts'

/** The part of PostgreSQL that a service owns. */
export interface OwnSchema {
  /** Schema of the service; made when missing. */
  readonly schema: string
  /** Folder of the service's own `NNNN-name.sql` files. */
  readonly migrationsDir: URL
}

/** What to bring to the newest state. */
export interface MigrationOptions extends OwnSchema {
  readonly url: string
  readonly logger: Logger
}

interface Migration {
  readonly scope: string
  readonly name: string
  readonly sql: string
  readonly sha256: string
}

const platformDir = new URL('./migrations/', import.meta.url)
const fileName = /^\d{4}-[a-z0-9-]+\.sql$/
const connectTimeoutMs = 10_000
/** One migration may rewrite a table, so it gets minutes; a lock that is never given must still end the start. */
const statementTimeoutMs = 10 * 60_000

const bookkeeping = `
  CREATE TABLE IF NOT EXISTS schema_migration (
    scope text NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, name)
  )`

/**
 * Runs what is missing of the platform's and then the service's migrations, each in a transaction, under an advisory
 * lock: replicas that start together wait for each other. A file that was changed after it ran is an error.
 */
export async function migrate({ url, schema, migrationsDir, logger }: MigrationOptions): Promise<void> {
  const wanted = [...(await readMigrations('platform', platformDir)), ...(await readMigrations('own', migrationsDir))]
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: `stampede-${schema}-migrations`,
  })
  client.on('error', (error) => logger.warn({ err: error }, 'connection of the migrations lost'))
  try {
    await client.connect()
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`stampede migrations ${schema}`])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    await client.query(`SET search_path = ${schema}`)
    await client.query(bookkeeping)
    await apply(client, wanted, logger)
  } catch (error) {
    const known = fromPostgres(error)
    // At the start the operator reads it: what is wrong with a migration is better told as it is.
    throw known.code === 'UNAVAILABLE' ? known : error
  } finally {
    await client.end()
  }
}

async function apply(client: Client, wanted: readonly Migration[], logger: Logger): Promise<void> {
  const done = await client.query<{ scope: string; name: string; sha256: string }>(
    'SELECT scope, name, sha256 FROM schema_migration',
  )
  const applied = new Map(done.rows.map((row) => [`${row.scope}/${row.name}`, row.sha256]))
  for (const migration of wanted) {
    const before = applied.get(`${migration.scope}/${migration.name}`)
    if (before === migration.sha256) continue
    if (before !== undefined) throw new Error(`migration ${migration.name} was changed after it had been applied`)
    await applyOne(client, migration)
    logger.info({ scope: migration.scope, migration: migration.name }, 'migration applied')
  }
}

async function applyOne(client: Client, { scope, name, sql, sha256 }: Migration): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(sql)
    await client.query('INSERT INTO schema_migration (scope, name, sha256) VALUES ($1, $2, $3)', [scope, name, sha256])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw new Error(`migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

async function readMigrations(scope: string, dir: URL): Promise<readonly Migration[]> {
  const base = dir.href.endsWith('/') ? dir : new URL(`${dir.href}/`)
  const names = (await readdir(base)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => {
      if (!fileName.test(name)) throw new Error(`migration ${name} is not named NNNN-name.sql`)
      const sql = await readFile(new URL(name, base), 'utf8')
      return { scope, name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}
