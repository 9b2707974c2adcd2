import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Database, openDatabase } from './database.ts'
import { freePort } from './embedded/free-port.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { StampedeError } from './errors.ts'
import { violatedConstraint } from './postgres-errors.ts'
import { tempDir, testParts, testPostgres, until } from './testing/index.ts'

const { logger } = testParts()
const accountSql = 'CREATE TABLE account (id int8 PRIMARY KEY, points int8 NOT NULL CHECK (points >= 0))'

function withMigrations(files: Readonly<Record<string, string>>) {
  const dir = tempDir('migrations')
  const folder = join(dir.path, 'migrations')
  mkdirSync(folder)
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql)
  return { folder, url: pathToFileURL(folder), [Symbol.dispose]: () => dir[Symbol.dispose]() }
}

function isCode(code: string) {
  return (error: unknown): boolean => error instanceof StampedeError && error.code === code
}

describe('a database', () => {
  const migrations = withMigrations({ '0001-account.sql': accountSql })
  let postgres: Awaited<ReturnType<typeof testPostgres>>
  let database: Database

  before(async () => {
    postgres = await testPostgres()
    database = await openDatabase({ url: postgres.url, schema: 'ledger', migrationsDir: migrations.url, logger })
  })
  after(async () => {
    await database[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
    migrations[Symbol.dispose]()
  })

  test('gives int8 as bigint, instants as Date, days and numerics as text, bytes as Buffer, and takes them back', async () => {
    const [row] = await database.query(
      `SELECT 9007199254740993::int8 AS big, '{1,NULL,9007199254740993}'::int8[] AS list, $1::int8 AS back,
              $2::int8[] AS back_list, $3::bytea AS bytes, $4::timestamptz AS at, '2026-11-27'::date AS day, 1.50::numeric AS money`,
      [-5n, [1n, 2n], new Uint8Array([1, 2]), new Date('2026-11-27T00:00:00Z')],
    )
    assert.deepEqual(row, {
      big: 9007199254740993n,
      list: [1n, null, 9007199254740993n],
      back: -5n,
      back_list: [1n, 2n],
      bytes: Buffer.from([1, 2]),
      at: new Date('2026-11-27T00:00:00Z'),
      day: '2026-11-27',
      money: '1.50',
    })
  })

  test('runs its migrations once, also when several replicas start at the same time', async () => {
    const url = postgres.url
    const opened = await Promise.all(
      [1, 2, 3, 4].map(() => openDatabase({ url, schema: 'twice', migrationsDir: migrations.url, logger })),
    )
    const rows = await opened[0]?.query<{ name: string }>('SELECT name FROM schema_migration ORDER BY name')
    assert.deepEqual(rows, [
      { name: '0001-account.sql' },
      { name: '0001-outbox-inbox.sql' },
      { name: '0002-outbox-age.sql' },
    ])
    await Promise.all(opened.map((one) => one[Symbol.asyncDispose]()))
  })

  test('refuses a migration that was changed after it ran, and undoes one that fails', async () => {
    using broken = withMigrations({
      '0001-good.sql': 'CREATE TABLE a (x int)',
      '0002-bad.sql': 'CREATE TABLE b (x nonsense)',
    })
    const options = { url: postgres.url, schema: 'broken', migrationsDir: broken.url, logger }
    await assert.rejects(openDatabase(options), /migration 0002-bad.sql failed: type "nonsense" does not exist/)
    writeFileSync(join(broken.folder, '0002-bad.sql'), 'CREATE TABLE b (x int)')
    await (await openDatabase(options))[Symbol.asyncDispose]()
    writeFileSync(join(broken.folder, '0001-good.sql'), 'CREATE TABLE a (y int)')
    await assert.rejects(openDatabase(options), /migration 0001-good.sql was changed/)
  })

  test('rolls a failed transaction back and says what was broken', async () => {
    await database.query('INSERT INTO account VALUES (1, 10)')
    const failing = database.transaction(async (tx) => {
      await tx.query('UPDATE account SET points = 5 WHERE id = 1')
      await tx.query('INSERT INTO account VALUES (1, 0)')
    })
    await assert.rejects(
      failing,
      (error) => isCode('ALREADY_EXISTS')(error) && violatedConstraint(error) === 'account_pkey',
    )
    const rows = await database.query('SELECT points FROM account WHERE id = 1')
    assert.deepEqual(rows, [{ points: 10n }])
    await assert.rejects(database.query('SELECT $1::uuid', ['not a uuid']), isCode('INVALID_ARGUMENT'))
    await assert.rejects(database.query('SELECT nonsense'), isCode('INTERNAL'))
  })

  test('repeats the loser of a deadlock until both transactions are in', async () => {
    await database.query('INSERT INTO account VALUES (11, 0), (12, 0)')
    let attempts = 0
    const bothLocked = Promise.withResolvers<void>()
    const post = (first: number, second: number): Promise<void> =>
      database.transaction(async (tx) => {
        attempts++
        await tx.query('UPDATE account SET points = points + 1 WHERE id = $1', [first])
        if (attempts === 2) bothLocked.resolve()
        await bothLocked.promise
        await tx.query('UPDATE account SET points = points + 1 WHERE id = $1', [second])
      })
    await Promise.all([post(11, 12), post(12, 11)])
    assert.deepEqual(await database.query('SELECT points FROM account WHERE id IN (11, 12)'), [
      { points: 2n },
      { points: 2n },
    ])
    assert.ok(attempts >= 3, 'one of them was repeated')
  })
})

test('a pool that lost its server fails with UNAVAILABLE and works again once the server is back', async () => {
  using dir = tempDir('restart')
  using migrations = withMigrations({ '0001-account.sql': accountSql })
  const options = { dataDir: join(dir.path, 'postgres'), port: await freePort(), durable: false }
  const first = await startEmbeddedPostgres(options)
  const database = await openDatabase({ url: first.url, schema: 'ledger', migrationsDir: migrations.url, logger })
  await database.query('INSERT INTO account VALUES (1, 1)')
  const interrupted = database.transaction(async (tx) => {
    await tx.query('INSERT INTO account VALUES (2, 2)')
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    // A backend outlives its postmaster by a moment.
    for (let tries = 0; tries < 1_000; tries++) await tx.query('SELECT pg_sleep(0.01)')
  })
  await assert.rejects(interrupted, isCode('UNAVAILABLE'))
  // A backend whose postmaster was killed may answer for a moment more.
  const isGone = () =>
    database.query('SELECT 1').then(
      () => false,
      () => true,
    )
  await until('the last backend is gone', isGone)
  await assert.rejects(database.query('SELECT 1'), isCode('UNAVAILABLE'))
  await first[Symbol.asyncDispose]()
  const second = await startEmbeddedPostgres(options)
  assert.equal(second.url, first.url, 'the password outlives the restart')
  assert.deepEqual(await database.query('SELECT id FROM account'), [{ id: 1n }])
  await database[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
})
