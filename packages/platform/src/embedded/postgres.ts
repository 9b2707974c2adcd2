import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Logger } from '../log.ts'
import { EmbeddedError } from './embedded-error.ts'
import {
  isRunning,
  logTail,
  type ManagedProcess,
  type StopStep,
  startProcess,
  stopLeftover,
} from './managed-process.ts'
import { type Ownership, takeOwnership } from './owner-file.ts'
import { installedNative, makeDataDir, type PostgresFiles, placePostgres } from './postgres-files.ts'
import { giveTo, type SystemUser, unprivilegedUser } from './system-user.ts'

/** How to run PostgreSQL on this machine. */
export interface EmbeddedPostgresOptions {
  /** Folder of the data; made when missing. Its log, password and owner file lie beside it. */
  readonly dataDir: string
  /** TCP port on 127.0.0.1. */
  readonly port: number
  /** false outlives the death of the process, not that of the machine, and is faster: for tests only. Default true. */
  readonly durable?: boolean
  /** Upper bound of connections; default 200. */
  readonly connectionsMax?: number
  readonly logger?: Logger
}

/** A running PostgreSQL; disposing shuts it down. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** postgres://user:password@127.0.0.1:port/stampede; the user is a superuser. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Where the data really are: another place than asked for when PostgreSQL's user cannot reach that. */
  readonly dataDir: string
  /** Resolves with a line that says how the server ended, whoever ended it. */
  readonly exited: Promise<string>
}

const user = 'stampede'
const database = 'stampede'
const startAttempts = 3
const startDeadlineMs = 60_000
const initDeadlineMs = 120_000
const pollMs = 50
const connectTimeoutMs = 5_000
const retryDelayMs = 1_000
const stopSteps: readonly StopStep[] = [
  { signal: 'SIGINT', waitMs: 30_000 },
  { signal: 'SIGQUIT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
]

/**
 * Starts a PostgreSQL 18 of this machine's own, with its data in a folder; the first start creates them.
 * What an earlier, killed run left (a server still alive, a stale lock) is cleared first.
 * Throws EmbeddedError when it cannot run here, with the end of its log.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const systemUser = unprivilegedUser()
  const files = placePostgres(installedNative(), options.dataDir, systemUser)
  const ownership = takeOwnership(files.dataDir)
  try {
    await clearLeftover(files.dataDir)
    const password = readOrMakePassword(options.dataDir, files.dataDir)
    await initialize(files, password, systemUser)
    const server = await startServer(files, options, password, systemUser)
    options.logger?.info({ port: options.port, pid: server.pid, dataDir: files.dataDir }, 'PostgreSQL started')
    return {
      url: urlOf(options.port, password, database),
      port: options.port,
      pid: server.pid,
      dataDir: files.dataDir,
      exited: server.exited,
      [Symbol.asyncDispose]: () => stopServer(server, ownership),
    }
  } catch (error) {
    ownership[Symbol.dispose]()
    throw error
  }
}

async function stopServer(server: ManagedProcess, ownership: Ownership): Promise<void> {
  await server.stop()
  ownership[Symbol.dispose]()
}

async function clearLeftover(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  if (Number.isInteger(pid) && pid > 1 && isRunning(pid, 'postgres')) await stopLeftover(pid, 'postgres', stopSteps)
  // The id may belong to another program by now, which PostgreSQL would take for a living server.
  if (existsSync(pidFile)) rmSync(pidFile)
}

function readOrMakePassword(askedDataDir: string, dataDir: string): string {
  const file = `${askedDataDir}.password`
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  if (existsSync(join(dataDir, 'PG_VERSION'))) {
    throw new EmbeddedError(`${file} is missing: put it back, or remove ${askedDataDir} to start anew`)
  }
  const password = randomBytes(24).toString('base64url')
  writeFileSync(file, password, { mode: 0o600 })
  return password
}

async function initialize(files: PostgresFiles, password: string, systemUser: SystemUser | undefined): Promise<void> {
  if (existsSync(join(files.dataDir, 'PG_VERSION'))) {
    const foreign = systemUser !== undefined && statSync(files.dataDir).uid !== systemUser.uid
    if (foreign) giveTo(systemUser, files.dataDir)
    return
  }
  // Made beside and renamed: a killed initdb must not leave a folder that looks complete.
  const fresh = `${files.dataDir}.init`
  const passwordFile = `${files.dataDir}.initpw`
  makeDataDir(fresh, systemUser)
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
    if (systemUser !== undefined) chownSync(passwordFile, systemUser.uid, systemUser.gid)
    await runInitdb(files.initdb, fresh, passwordFile, systemUser)
  } finally {
    rmSync(passwordFile, { force: true })
  }
  rmSync(files.dataDir, { recursive: true, force: true })
  renameSync(fresh, files.dataDir)
}

async function runInitdb(
  initdb: string,
  dataDir: string,
  passwordFile: string,
  systemUser: SystemUser | undefined,
): Promise<void> {
  const args = ['-D', dataDir, '-U', user, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8']
  const locale = ['--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync']
  const child = spawn(initdb, [...args, ...locale], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: initDeadlineMs,
    ...(systemUser === undefined ? {} : { uid: systemUser.uid, gid: systemUser.gid }),
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new EmbeddedError(`initdb failed (${code}): ${output.trim()}`)
}

async function startServer(
  files: PostgresFiles,
  options: EmbeddedPostgresOptions,
  password: string,
  systemUser: SystemUser | undefined,
): Promise<ManagedProcess> {
  const logFile = `${options.dataDir}.log`
  mkdirSync(dirname(logFile), { recursive: true })
  chmodSync(files.dataDir, 0o700)
  for (let attempt = 1; ; attempt++) {
    const server = startProcess({
      command: files.postgres,
      args: serverArgs(files.dataDir, options),
      logFile,
      stopSteps,
      user: systemUser,
    })
    const ready = await waitReady(server, options.port, password)
    if (ready) return server
    await server.stop()
    // Children of a server that was killed hold its shared memory for a moment.
    if (attempt === startAttempts) throw new EmbeddedError(`PostgreSQL does not start: ${logTail(logFile)}`)
    await sleep(retryDelayMs)
  }
}

function serverArgs(dataDir: string, options: EmbeddedPostgresOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: '',
    max_connections: String(options.connectionsMax ?? 200),
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    checkpoint_completion_target: '0.9',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.durable === false ? { fsync: 'off', full_page_writes: 'off' } : {}),
  }
  return ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** Waits until a query is answered and the database exists; false when the server ended before. */
async function waitReady(server: ManagedProcess, port: number, password: string): Promise<boolean> {
  const deadline = Date.now() + startDeadlineMs
  let last: unknown
  while (Date.now() < deadline) {
    if (server.ended() !== undefined) return false
    try {
      await ensureDatabase(port, password)
      return true
    } catch (error) {
      last = error
      await sleep(pollMs)
    }
  }
  await server.stop()
  throw new EmbeddedError(`PostgreSQL is not ready after ${startDeadlineMs} ms: ${String(last)}`)
}

async function ensureDatabase(port: number, password: string): Promise<void> {
  const client = new Client({
    connectionString: urlOf(port, password, 'postgres'),
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
  })
  client.on('error', () => {
    // The failing call rejects as well.
  })
  try {
    await client.connect()
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${database}`)
  } finally {
    await client.end()
  }
}

function urlOf(port: number, password: string, name: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${name}`
}
