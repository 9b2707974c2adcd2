import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { tempDir } from '../testing/index.ts'
import { freePort } from './free-port.ts'
import { isRunning } from './managed-process.ts'
import { startEmbeddedPostgres } from './postgres.ts'
import { installedNative, placePostgres } from './postgres-files.ts'
import { canAccess, unprivilegedUser } from './system-user.ts'

const isRoot = process.getuid?.() === 0

async function ask(url: string, text: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows[0]
  } finally {
    await client.end()
  }
}

test('data outlive a stop and a start, and only the right password is let in', async () => {
  using dir = tempDir('postgres')
  const options = { dataDir: join(dir.path, 'data', 'postgres'), port: await freePort() }
  const first = await startEmbeddedPostgres(options)
  await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  assert.deepEqual(
    await ask(
      first.url,
      "SELECT current_setting('fsync') AS fsync, current_setting('server_version_num')::int / 10000 AS major, datlocprovider FROM pg_database WHERE datname = 'stampede'",
    ),
    { fsync: 'on', major: 18, datlocprovider: 'b' },
  )
  const wrong = new URL(first.url)
  wrong.password = 'wrong'
  await assert.rejects(ask(wrong.href, 'SELECT 1'), /password authentication failed/)
  assert.equal(statSync(`${options.dataDir}.password`).mode & 0o077, 0)
  await assert.rejects(startEmbeddedPostgresElsewhere(options), /in use by process/)
  await first[Symbol.asyncDispose]()
  assert.equal(isRunning(first.pid, 'postgres'), false)
  await using second = await startEmbeddedPostgres(options)
  assert.deepEqual(await ask(second.url, 'SELECT answer FROM kept'), { answer: 42 })
})

/** The same from another process: this one may take its own folder again. */
async function startEmbeddedPostgresElsewhere(options: { dataDir: string; port: number }): Promise<void> {
  const { output } = await runScript(`await startEmbeddedPostgres(${JSON.stringify(options)})`)
  throw new Error(output)
}

async function runScript(body: string, killWhen?: string): Promise<{ output: string }> {
  const module = JSON.stringify(fileURLToPath(new URL('./postgres.ts', import.meta.url)))
  const script = `const { startEmbeddedPostgres } = await import(${module})\n${body}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
    if (killWhen !== undefined && output.includes(killWhen)) child.kill('SIGKILL')
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  await new Promise((resolve) => child.once('close', resolve))
  return { output }
}

test('a server left behind by a killed process is stopped and its data are taken over', async () => {
  using dir = tempDir('leftover')
  const options = { dataDir: join(dir.path, 'postgres'), port: await freePort() }
  const body = `const pg = await startEmbeddedPostgres(${JSON.stringify(options)}); console.log('pid=' + pg.pid + ';'); await pg.exited`
  const { output } = await runScript(body, ';')
  const pid = Number(/pid=(\d+);/.exec(output)?.[1])
  assert.ok(isRunning(pid, 'postgres'), 'the killed process left its server behind')
  await using server = await startEmbeddedPostgres(options)
  assert.equal(isRunning(pid, 'postgres'), false)
  assert.notEqual(server.pid, pid)
})

test('a lock file of a process id that is now somebody else does not prevent the start', async () => {
  using dir = tempDir('stale')
  const options = { dataDir: join(dir.path, 'postgres'), port: await freePort(), durable: false }
  const first = await startEmbeddedPostgres(options)
  await first[Symbol.asyncDispose]()
  writeFileSync(join(first.dataDir, 'postmaster.pid'), `${process.pid}\n${first.dataDir}\n1\n1\n\n127.0.0.1\n`)
  await using second = await startEmbeddedPostgres(options)
  assert.deepEqual(await ask(second.url, 'SELECT 1 AS one'), { one: 1 })
})

test('root gets a server also where its unprivileged user cannot enter', { skip: !isRoot && 'not root' }, async () => {
  const closed = mkdtempSync(join(tmpdir(), 'stampede-closed-'))
  chmodSync(closed, 0o700)
  const options = { dataDir: join(closed, 'data', 'postgres'), port: await freePort(), durable: false }
  const first = await startEmbeddedPostgres(options)
  try {
    assert.ok(lstatSync(options.dataDir).isSymbolicLink())
    assert.notEqual(first.dataDir, options.dataDir)
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first[Symbol.asyncDispose]()
    await using second = await startEmbeddedPostgres(options)
    assert.equal(second.dataDir, first.dataDir)
    assert.deepEqual(await ask(second.url, 'SELECT answer FROM kept'), { answer: 42 })
  } finally {
    rmSync(dirname(first.dataDir), { recursive: true })
    rmSync(closed, { recursive: true })
  }
})

test('root runs programs of a checkout that is closed to others', { skip: !isRoot && 'not root' }, () => {
  const user = unprivilegedUser()
  assert.ok(user !== undefined)
  const closed = mkdtempSync(join(tmpdir(), 'stampede-closed-'))
  chmodSync(closed, 0o700)
  let copied: string | undefined
  let holder: string | undefined
  try {
    const native = installedNative()
    cpSync(native, join(closed, 'native'), { recursive: true, verbatimSymlinks: true })
    writeFileSync(join(closed, 'package.json'), JSON.stringify({ version: `test-${process.pid}` }))
    const files = placePostgres(join(closed, 'native'), join(closed, 'data'), user)
    copied = dirname(dirname(files.postgres))
    holder = dirname(files.dataDir)
    assert.ok(!holder.startsWith(closed))
    assert.ok(!files.postgres.startsWith(closed))
    assert.ok(canAccess(user, [{ kind: 'x', path: files.postgres }]))
    assert.ok(existsSync(join(copied, 'lib')))
    assert.equal(placePostgres(join(closed, 'native'), join(closed, 'data'), user).postgres, files.postgres)
  } finally {
    for (const path of [copied, holder]) if (path !== undefined) rmSync(path, { recursive: true, force: true })
    rmSync(closed, { recursive: true })
  }
})
