import { spawn } from 'node:child_process'
import { type Disturbance, isClean, observe, waitForQuiet } from './machine.ts'
import { type ClientResult, type Load, loadFlags } from './peers/load.ts'
import { CLIENT_CPU, pinned } from './pinned.ts'
import type { Certificates } from './sink/certificates.ts'
import type { Sink } from './sink/sink.ts'

/** A client that takes the flags of `Load` and prints a `ClientResult`. */
export interface Client {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Warm-up that it needs at least, in pushes: a virtual machine compiles what has run often. */
  readonly warmupMin?: number
  /** Pushes of the first, discarded run, which tells how many fill the wanted time. */
  readonly trial: number
  /** Cores that it may use; default the one of all clients. */
  readonly cpus?: string
}

/** One measured run. */
export interface Run extends ClientResult, Disturbance {
  readonly pushesPerSecond: number
  readonly cpuMicros: number
  /** CPU time of the sink per request, in microseconds. */
  readonly sinkCpuMicros: number
  /** Share of one core that the sink used. */
  readonly sinkBusy: number
  readonly isClean: boolean
}

/** How a client is run: what `Load` needs besides the size of the window. */
export interface Setting {
  readonly sink: Sink
  readonly certificates: Certificates
  readonly connections: number
  readonly streams: number
}

/** Waiting for a quiet machine: before one run, and before all of them together. */
const quietTimeoutMs = 10_000
const quietBudgetMs = 180_000
let waitedMs = 0
const runDeadlineMs = 120_000
/** Warm-up, as a share of the measured pushes. */
const WARMUP_SHARE = 0.2

/** How many pushes a run of `seconds` takes, found by a short run that does not count. */
export async function sizeLoad(client: Client, setting: Setting, seconds: number): Promise<Load> {
  const { trial } = client
  const { pushes, seconds: took } = await runClient(client, {
    ...place(setting),
    warmup: client.warmupMin ?? trial,
    pushes: trial,
  })
  const wanted = Math.max(trial, Math.round((pushes / took) * seconds))
  const warmup = Math.max(client.warmupMin ?? 0, Math.round(wanted * WARMUP_SHARE))
  return { ...place(setting), warmup, pushes: wanted }
}

/** Runs a client once on a quiet machine and observes everything around it. */
export async function measure(client: Client, load: Load, sink: Sink): Promise<Run> {
  const waitingSinceMs = performance.now()
  if (waitedMs < quietBudgetMs) await waitForQuiet(quietTimeoutMs)
  waitedMs += performance.now() - waitingSinceMs
  sink.resetStats()
  const happened = observe([sink.pid])
  const result = await runClient(client, load)
  const disturbance = happened()
  const stats = await sink.stats()
  const sinkCpuSeconds = (stats.cpuUserSeconds + stats.cpuSystemSeconds) / Math.max(1, stats.requests)
  return {
    ...result,
    ...disturbance,
    pushesPerSecond: result.ok / result.seconds,
    cpuMicros: (result.cpuSeconds / result.pushes) * 1e6,
    sinkCpuMicros: sinkCpuSeconds * 1e6,
    sinkBusy: sinkCpuSeconds * (result.pushes / result.seconds),
    isClean: isClean(disturbance),
  }
}

/** Runs a client; rejects with what it said when it fails or does not end. */
export function runClient(client: Client, load: Load): Promise<ClientResult> {
  const [command, args] = pinned(client.cpus ?? CLIENT_CPU, client.command, [...client.args, ...loadFlags(load)])
  const { promise, resolve, reject } = Promise.withResolvers<ClientResult>()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    complaints += part
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), runDeadlineMs)
  child.once('error', reject)
  child.once('close', (code, signal) => {
    clearTimeout(timer)
    const line = output.trim().split('\n').at(-1) ?? ''
    if (code === 0 && line.startsWith('{')) resolve(JSON.parse(line) as ClientResult)
    else reject(new Error(`${client.name} ended with ${code ?? signal}: ${complaints.slice(-2000) || output}`))
  })
  return promise
}

/** The part of a load that the setting decides. */
export function place({ sink, certificates, connections, streams }: Setting): Omit<Load, 'warmup' | 'pushes'> {
  const { authority, clients } = certificates
  const { cert, key } = clients[0]
  return { port: sink.port, authority, cert, key, connections, streams }
}
