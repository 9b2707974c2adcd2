import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CustomTypesConfig, Pool, type PoolClient, type QueryResult, types } from 'pg'
import type { Logger } from './log.ts'
import { migrate } from './migrations.ts'
import { fromPostgres, isConflict, isConnectionLoss } from './postgres-errors.ts'

/** How a service opens its part of PostgreSQL. */
export interface DatabaseOptions {
  readonly url: string
  /** The service's own schema, `[a-z_][a-z0-9_]*`; it is the whole search path. */
  readonly schema: string
  /** Folder of the service's `NNNN-name.sql` files. */
  readonly migrationsDir: URL
  readonly logger: Logger
  /** Connections at most; default 10. */
  readonly poolSize?: number
  /** Longest time of a statement; default 30,000. */
  readonly statementTimeoutMs?: number
}

/** A statement that is prepared once per connection under its name. */
export interface NamedStatement {
  /** Unique per text. */
  readonly name: string
  readonly text: string
  readonly values?: readonly unknown[]
}

/**
 * Runs SQL. int8 (and arrays of it) come as bigint, timestamptz as Date, date as text, bytea as Buffer, numeric as text.
 * Throws StampedeError: UNAVAILABLE when the connection is lost, DEADLINE_EXCEEDED after the longest time of a statement, ALREADY_EXISTS for
 * a duplicate key, INVALID_ARGUMENT for values that do not fit.
 */
export interface Sql {
  query<R extends object>(text: string, values?: readonly unknown[]): Promise<readonly R[]>
  query<R extends object>(statement: NamedStatement): Promise<readonly R[]>
}

/** A pool of connections to one schema; disposing waits for running statements and closes it. */
export interface Database extends Sql, AsyncDisposable {
  /**
   * Runs the function in a transaction (read committed); after a deadlock or serialization failure again, 5 times at
   * most. Statements that it does not wait for are sent at once and run in the order in which they were asked.
   */
  transaction<T>(run: (tx: Sql) => Promise<T>): Promise<T>
  /** Address of the server, for those who need a connection of their own. */
  readonly url: string
  readonly schema: string
}

const defaultPoolSize = 10
const connectTimeoutMs = 10_000
const defaultStatementTimeoutMs = 30_000
/** Above the server's own limit: only a dead server does not answer in time. */
const queryGraceMs = 5_000
const idleInTransactionMs = 60_000
const attemptsMax = 5
const retryDelayMs = 10

/** Opens the pool after bringing the schema to its newest state. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  await migrate(options)
  return connectDatabase(options)
}

/** Opens the pool to a schema as it is: for tools that look at what a service wrote. */
export function connectDatabase(options: Omit<DatabaseOptions, 'migrationsDir'>): Database {
  const { url, schema, logger, statementTimeoutMs = defaultStatementTimeoutMs } = options
  assert.match(schema, /^[a-z_][a-z0-9_]{0,40}$/, 'schema is a plain lower-case name')
  const pool = new Pool({
    connectionString: url,
    max: options.poolSize ?? defaultPoolSize,
    // Not in a connect hook: a query there would race with the first caller's.
    options: `-c search_path=${schema}`,
    application_name: `stampede-${schema}`,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + queryGraceMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    // Statements that nobody waits for in between leave at once: a transaction of many is a few round trips.
    pipeline: true,
    types: typeParsers,
  })
  pool.on('error', (error) => {
    // Ending does not wait for the sockets: a server that stops right after us breaks connections that nobody wants.
    if (!pool.ending) logger.warn({ err: error }, 'idle database connection lost')
  })
  pool.on('connect', (client) => {
    // A client that breaks while it is checked out and idle would end the process otherwise.
    client.on('error', (error) => logger.debug({ err: error }, 'database connection lost'))
  })
  return {
    url,
    schema,
    query: (textOrStatement: string | NamedStatement, values?: readonly unknown[]) =>
      runStatement(pool, textOrStatement, values),
    transaction: (run) => transaction(pool, run),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

async function transaction<T>(pool: Pool, run: (tx: Sql) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transactionOnce(pool, run)
    } catch (error) {
      if (!isConflict(error) || attempt === attemptsMax) throw error
      await sleep(retryDelayMs * attempt * (0.5 + Math.random()))
    }
  }
}

async function transactionOnce<T>(pool: Pool, run: (tx: Sql) => Promise<T>): Promise<T> {
  const client = await checkOut(pool)
  let failure: unknown
  const sql: Sql = {
    query: async (textOrStatement: string | NamedStatement, values?: readonly unknown[]) => {
      try {
        return await runStatement(client, textOrStatement, values)
      } catch (error) {
        failure ??= error
        throw error
      }
    },
  }
  let broken = false
  try {
    await sql.query('BEGIN')
    const result = await run(sql)
    await sql.query('COMMIT')
    return result
  } catch (error) {
    broken = isConnectionLoss(error) || !(await rolledBack(client))
    // Statements that were sent behind the one that failed only echo it, and may be heard first.
    throw failure ?? error
  } finally {
    client.release(broken)
  }
}

async function checkOut(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw fromPostgres(error)
  }
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK')
    return true
  } catch {
    return false
  }
}

async function runStatement<R extends object>(
  on: Pool | PoolClient,
  textOrStatement: string | NamedStatement,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  const statement = typeof textOrStatement === 'string' ? { text: textOrStatement, values } : textOrStatement
  try {
    const result: QueryResult<R> = await on.query<R>({ ...statement, values: [...(statement.values ?? [])] })
    return result.rows
  } catch (error) {
    throw fromPostgres(error)
  }
}

const oidInt8 = 20
const oidInt8Array = 1016
const oidDate = 1082
/** The driver's types list only a part of the parsers that it has. */
const driverParser = types.getTypeParser as (oid: number, format?: string) => unknown
const parseInt8Array = driverParser(oidInt8Array) as (text: string) => readonly (string | null)[]

const typeParsers: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === oidInt8) return BigInt
    if (oid === oidInt8Array)
      return (text: string) => parseInt8Array(text).map((item) => (item === null ? null : BigInt(item)))
    if (oid === oidDate) return (text: string) => text
    return driverParser(oid, format)
  }) as CustomTypesConfig['getTypeParser'],
}
