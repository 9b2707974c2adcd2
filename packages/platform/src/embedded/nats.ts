import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
import { findNatsServer } from './nats-install.ts'
import { type Ownership, takeOwnership } from './owner-file.ts'

/** How to run nats-server on this machine. */
export interface EmbeddedNatsOptions {
  /** Folder of JetStream's files; made when missing. Log, configuration and password lie beside it. */
  readonly dataDir: string
  /** TCP port on 127.0.0.1. */
  readonly port: number
  /** Folder where the program is, or is installed to, when PATH has none. */
  readonly toolsDir: string
  readonly logger?: Logger
}

/** A running nats-server with JetStream; disposing stops it. */
export interface EmbeddedNats extends AsyncDisposable {
  /** nats://user:password@127.0.0.1:port */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Resolves with a line that says how the server ended, whoever ended it. */
  readonly exited: Promise<string>
}

const program = 'nats-server'
const user = 'stampede'
/** Largest message in bytes: a push chunk of 10,000 recipients fits with room to spare. */
const payloadBytesMax = 8 * 1024 * 1024
const startDeadlineMs = 30_000
const pollMs = 20
const stopSteps: readonly StopStep[] = [
  { signal: 'SIGTERM', waitMs: 15_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
]

/**
 * Starts a nats-server of this machine's own with JetStream on a folder. What an earlier, killed run left is
 * stopped first. Throws EmbeddedError when there is no program or it does not start.
 */
export async function startEmbeddedNats(options: EmbeddedNatsOptions): Promise<EmbeddedNats> {
  const command = findNatsServer(options.toolsDir, options.logger)
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  const ownership = takeOwnership(dataDir)
  try {
    await clearLeftover(`${dataDir}.pid`)
    const password = readOrMakePassword(`${dataDir}.password`)
    const configFile = `${dataDir}.conf`
    writeFileSync(configFile, configText(dataDir, options.port, password), { mode: 0o600 })
    const logFile = `${dataDir}.log`
    const server = startProcess({ command, args: ['-c', configFile], logFile, stopSteps })
    await waitReady(server, options.port, logFile)
    options.logger?.info({ port: options.port, pid: server.pid, dataDir }, 'nats-server started')
    return {
      url: `nats://${user}:${password}@127.0.0.1:${options.port}`,
      port: options.port,
      pid: server.pid,
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

async function clearLeftover(pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  if (Number.isInteger(pid) && pid > 1 && isRunning(pid, program)) await stopLeftover(pid, program, stopSteps)
  rmSync(pidFile, { force: true })
}

function readOrMakePassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

function configText(dataDir: string, port: number, password: string): string {
  const quoted = (text: string): string => JSON.stringify(text)
  return [
    `listen: "127.0.0.1:${port}"`,
    `server_name: "stampede-${port}"`,
    `pid_file: ${quoted(`${dataDir}.pid`)}`,
    `max_payload: ${payloadBytesMax}`,
    `jetstream { store_dir: ${quoted(dataDir)} }`,
    `authorization { user: ${quoted(user)}, password: ${quoted(password)} }`,
    '',
  ].join('\n')
}

/** Ready when the server greets a TCP client, which it does after JetStream has recovered its files. */
async function waitReady(server: ManagedProcess, port: number, logFile: string): Promise<void> {
  const deadline = Date.now() + startDeadlineMs
  while (Date.now() < deadline) {
    if (server.ended() !== undefined) {
      throw new EmbeddedError(`nats-server does not start (${server.ended()}): ${logTail(logFile)}`)
    }
    if (await greets(port)) return
    await sleep(pollMs)
  }
  await server.stop()
  throw new EmbeddedError(`nats-server is not ready after ${startDeadlineMs} ms: ${logTail(logFile)}`)
}

async function greets(port: number): Promise<boolean> {
  const socket = connectTcp(port, '127.0.0.1')
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('data', (data) => resolve(data.toString().startsWith('INFO ')))
      socket.once('error', () => resolve(false))
      socket.once('close', () => resolve(false))
      socket.setTimeout(startDeadlineMs, () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}
