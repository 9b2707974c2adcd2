import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Built, pinned, SINK_CPU } from '@stampede/h2push/bench'

/** What the phones do. */
export interface PhonesRun {
  readonly port: number
  readonly phonesFile: string
  /** `list`, `same` (answered 304) and `pass` on warm connections; `visit`: list and pass on a new one per phone. */
  readonly mode: 'list' | 'same' | 'pass' | 'visit'
  /** At most at once. */
  readonly connections: number
  readonly seconds: number
  /** Seconds before the measurement; default 1. */
  readonly warmup?: number
  /** Visits started per second; default: each connection begins the next when one ends. */
  readonly rate?: number
  /** Seconds after which a phone gives up; default 30. */
  readonly patience?: number
  /** Phone to begin with, so that a run asks for passes that the one before did not. */
  readonly first?: number
}

/** What the phones saw, the warm-up left out. */
export interface PhonesResult {
  readonly seconds: number
  readonly requests: number
  /** Requests, or visits, that ended well. */
  readonly visits: number
  /** Those that ended with a refusal. */
  readonly turnedAway: number
  /** Those that were cut off. */
  readonly broken: number
  readonly impatient: number
  /** Due when no connection was free. */
  readonly unstarted: number
  /** Answers with Retry-After. */
  readonly retryAfter: number
  /** Of all bodies. */
  readonly bytes: number
  readonly cpuSeconds: number
  /** Times from the first packet, of those that ended well. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Phone to begin the next run with. */
  readonly next: number
  /** Answers by status. */
  readonly status: Readonly<Record<string, number>>
}

const folder = join(import.meta.dirname, 'phones')
const flags = ['-O2', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror']
const buildDeadlineMs = 60_000
/** A run may take so much longer than it was told, in milliseconds. */
const graceMs = 20_000

/** Compiles the load generator once per state of its sources. Linux only (epoll). */
export function buildPhones(): Built {
  const sources = globSync('*.{c,h}', { cwd: folder })
    .sort()
    .map((file) => join(folder, file))
  const hash = createHash('sha256')
  for (const source of sources) hash.update(readFileSync(source)).update('\0')
  const cache = join(tmpdir(), 'stampede-bench')
  const path = join(cache, `phones-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(path)) return { ok: true, path }
  if (process.platform !== 'linux') return { ok: false, reason: 'the load generator needs Linux' }
  mkdirSync(cache, { recursive: true })
  // Renamed when complete, so that two builds at once do no harm.
  const partial = `${path}.${process.pid}`
  const code = sources.filter((source) => source.endsWith('.c'))
  const args = [...flags, '-o', partial, ...code, '-lssl', '-lcrypto']
  const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8', timeout: buildDeadlineMs })
  if (status !== 0)
    return { ok: false, reason: `no load generator (Debian: gcc, libssl-dev): ${error?.message ?? stderr}` }
  renameSync(partial, path)
  return { ok: true, path }
}

/** Lets the phones of a file come, on the core that the service does not have. */
export async function runPhones(path: string, { phonesFile, ...run }: PhonesRun): Promise<PhonesResult> {
  const options = { warmup: 1, ...run, phones: phonesFile }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const [command, all] = pinned(SINK_CPU, path, args)
  const child = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  const timer = setTimeout(() => child.kill('SIGKILL'), (run.seconds + options.warmup) * 1_000 + graceMs)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part
  })
  child.once('error', reject)
  child.once('close', resolve)
  const code = await promise
  clearTimeout(timer)
  if (code !== 0) throw new Error(`the phones ended with ${code}`)
  return JSON.parse(output) as PhonesResult
}
