import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../run.ts'
import { peersDir } from '../tools-dir.ts'
import { npmPeersDir, requirePeer } from './installed.ts'

/** Versions of the peers' npm packages. */
const npmPeers = { '@parse/node-apn': '8.1.0', apns2: '12.2.0' } as const
const stepDeadlineMs = 180_000

/** Everything that pushes are sent with; a peer that cannot run here is undefined. */
export interface Clients {
  readonly ours: Client
  /** Ours without a table for response headers. */
  readonly oursWithoutTable: Client
  /** Ours in two worker threads on both cores. */
  readonly oursInWorkers: Client
  readonly h2load: Client | undefined
  readonly nodeHttp2: Client
  readonly nodeApn: Client | undefined
  readonly apns2: Client | undefined
  readonly goApns2: Client | undefined
  readonly goHttp2: Client | undefined
  readonly pushy: Client | undefined
}

/** The clients, and one line about each that is left out. */
export interface Prepared {
  readonly clients: Clients
  readonly skipped: readonly string[]
  /** Names and versions of what the peers are made of. */
  readonly versions: Readonly<Record<string, string>>
}

/** Installs and builds the peers in the cache folder. What fails is left out, with the reason. */
export function preparePeers(): Prepared {
  mkdirSync(peersDir, { recursive: true })
  const skipped: string[] = []
  const attempt = <Result>(name: string, prepare: () => Result): Result | undefined => {
    try {
      return prepare()
    } catch (error) {
      skipped.push(`${name}: ${error instanceof Error ? error.message : error}`)
      return undefined
    }
  }
  const h2load = attempt('h2load', h2loadVersion)
  const npm = attempt('@parse/node-apn, apns2', installNpmPeers)
  const go = attempt('Go peers', buildGoPeer)
  const pushy = attempt('Pushy', buildPushy)
  const goClient = (name: string, which: string): Client | undefined =>
    go === undefined ? undefined : { name, command: go, args: ['--client', which], trial: 10_000 }
  const pushyClient =
    pushy === undefined
      ? undefined
      : { name: 'Pushy', command: 'java', args: ['-cp', pushy, 'Main'], trial: 200_000, warmupMin: 400_000 }
  const clients: Clients = {
    ours: program('h2push', 'clients/h2push.ts', 200_000),
    oursWithoutTable: program('h2push, no header table', 'clients/h2push.ts', 200_000, ['--without-table']),
    oursInWorkers: { ...program('h2push, 2 workers on both cores', 'clients/workers.ts', 200_000), cpus: '0,1' },
    h2load: h2load && program('h2load', 'peers/h2load.ts', 100_000),
    nodeHttp2: program('node:http2', 'peers/node-http2.ts', 5_000),
    nodeApn: npm && program('@parse/node-apn', 'peers/node-apn.ts', 5_000),
    apns2: npm && program('npm apns2', 'peers/apns2.ts', 2_000),
    goApns2: goClient('Go apns2', 'apns2'),
    goHttp2: goClient('Go x/net/http2', 'http2'),
    pushy: pushyClient,
  }
  const versions = { node: process.version, openssl: process.versions.openssl, ...npm, ...h2load, ...peerVersions(go) }
  return { clients, skipped, versions }
}

/** One of our TypeScript programs, run by this very Node. */
function program(name: string, file: string, trial: number, args: readonly string[] = []): Client {
  return { name, command: process.execPath, args: [join(import.meta.dirname, '..', file), ...args], trial }
}

function h2loadVersion(): Record<string, string> {
  const [name = 'h2load', version = ''] = step('h2load', ['--version']).trim().split(' ')
  return { [name]: version }
}

function installNpmPeers(): Record<string, string> {
  const wanted = Object.entries(npmPeers)
  const isThere = wanted.every(([name, version]) => installedVersion(name) === version)
  const names = wanted.map(([name, version]) => `${name}@${version}`)
  if (!isThere)
    step('npm', ['install', '--prefix', npmPeersDir, '--no-audit', '--no-fund', '--loglevel=error', ...names])
  return npmPeers
}

function installedVersion(name: string): string | undefined {
  const file = join(npmPeersDir, 'node_modules', name, 'package.json')
  return existsSync(file) ? (requirePeer(file) as { readonly version: string }).version : undefined
}

/** Path of the program. */
function buildGoPeer(): string {
  const path = join(peersDir, 'go-peer')
  step('go', ['build', '-C', join(import.meta.dirname, 'go'), '-o', path, '.'])
  return path
}

/** Class path. */
function buildPushy(): string {
  const source = join(import.meta.dirname, 'pushy')
  const folder = join(peersDir, 'pushy')
  const [jars, classes] = [join(folder, 'jars'), join(folder, 'classes')]
  const copied = join(folder, 'pom.xml')
  const pom = readFileSync(join(source, 'pom.xml'), 'utf8')
  if (!existsSync(jars) || !existsSync(copied) || readFileSync(copied, 'utf8') !== pom) {
    mkdirSync(folder, { recursive: true })
    cpSync(join(source, 'pom.xml'), copied)
    step('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], { cwd: folder })
  }
  step('javac', ['-cp', join(jars, '*'), '-d', classes, join(source, 'Main.java')])
  return `${classes}:${join(jars, '*')}`
}

function peerVersions(go: string | undefined): Record<string, string> {
  if (go === undefined) return {}
  const modules = readFileSync(join(import.meta.dirname, 'go', 'go.mod'), 'utf8')
  const of = (name: string): string => new RegExp(`${name} v(\\S+)`).exec(modules)?.[1] ?? ''
  return {
    'Go apns2': of('sideshow/apns2'),
    'x/net': of('golang.org/x/net'),
    go: step('go', ['env', 'GOVERSION']).trim(),
  }
}

/** Runs a command to its end; throws with what it said. */
function step(command: string, args: readonly string[], options: SpawnSyncOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    timeout: stepDeadlineMs,
  })
  if (error !== undefined) throw new Error(`cannot run ${command} (${error.message})`)
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${`${stderr}${stdout}`.trim().slice(-500)}`)
  return stdout
}
