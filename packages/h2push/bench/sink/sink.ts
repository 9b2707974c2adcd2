import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { pinned } from '../pinned.ts'
import type { Certificates } from './certificates.ts'

/** Core of the sink; clients have the other. */
export const SINK_CPU = '1'
const replyDeadlineMs = 10_000

/** How the sink behaves; its own `usage` (options.c) says what each means. */
export interface SinkOptions {
  readonly path: string
  readonly certificates: Certificates
  /** Coalesced into full TLS records (default), or one TLS record per response. */
  readonly shape?: 'coalesced' | 'record'
  readonly latencyMs?: number
  /** SETTINGS_MAX_CONCURRENT_STREAMS; default 1000. */
  readonly streams?: number
  readonly goaway?: { readonly every: number; readonly drop: boolean; readonly close: 'orderly' | 'abrupt' }
  /** Share of 410 answers, in thousandths. */
  readonly gonePermille?: number
  /** Decodes each request and counts its token. */
  readonly verify?: boolean
  /** Demands a client certificate of the authority. */
  readonly clientCertificates?: boolean
}

/** Counters since the start or the last reset. */
export interface SinkStats {
  /** Complete requests that arrived, whatever became of them. */
  readonly requests: number
  readonly responses: number
  readonly status200: number
  readonly status410: number
  readonly status429: number
  /** RST_STREAM REFUSED_STREAM by command. */
  readonly refused: number
  /** The same, because the client opened more streams than it may. */
  readonly overLimit: number
  /** Above the last stream id of a GOAWAY: neither processed nor answered. */
  readonly dropped: number
  readonly goaways: number
  readonly connections: number
  readonly openConnections: number
  readonly protocolErrors: number
  readonly emptyBodies: number
  readonly badRequests: number
  readonly inflateErrors: number
  /** Requests by serial number of the client certificate. */
  readonly certificates: Readonly<Record<string, number>>
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  /** Different tokens that were processed; with `verify`. */
  readonly distinct?: number
  /** Tokens processed more than once; with `verify`. */
  readonly processedTwice?: number
  /** Processings beyond the first of each token; with `verify`. */
  readonly repeats?: number
}

/** A running sink on 127.0.0.1. */
export interface Sink extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  stats(): Promise<SinkStats>
  resetStats(): void
  /** Changes the stream limit of present and later connections. */
  setStreams(count: number): void
  /** Refuses the next requests with RST_STREAM. */
  refuseNext(count: number): void
  /** Answers the next requests with 429. */
  tooManyNext(count: number): void
  /** Makes the present connections half-open: neither read, written nor closed. */
  stall(): void
}

/** Starts a sink; rejects when it does not. */
export async function startSink(options: SinkOptions): Promise<Sink> {
  const [command, args] = pinned(SINK_CPU, options.path, argumentsOf(options))
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const next = lineReader(child)
  const port = Number((await next()).replace('port ', ''))
  const say = (line: string): boolean => child.stdin.write(`${line}\n`)
  return {
    port,
    pid: child.pid ?? 0,
    stats: async () => {
      say('stats')
      return JSON.parse(await next()) as SinkStats
    },
    resetStats: () => say('reset-stats'),
    setStreams: (count) => say(`streams ${count}`),
    refuseNext: (count) => say(`rst ${count}`),
    tooManyNext: (count) => say(`429 ${count}`),
    stall: () => say('stall'),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await exited
    },
  }
}

function argumentsOf({ certificates, shape, latencyMs, streams, goaway, ...rest }: SinkOptions): readonly string[] {
  return [
    ['--cert', certificates.server.cert, '--key', certificates.server.key],
    shape === undefined ? [] : ['--shape', shape],
    latencyMs === undefined ? [] : ['--latency-ms', latencyMs],
    streams === undefined ? [] : ['--streams', streams],
    goaway === undefined ? [] : ['--goaway-every', goaway.every, '--goaway-close', goaway.close],
    goaway?.drop === true ? ['--goaway-drop'] : [],
    rest.gonePermille === undefined ? [] : ['--gone-share', rest.gonePermille],
    rest.verify === true ? ['--verify'] : [],
    rest.clientCertificates === true ? ['--client-ca', certificates.authority] : [],
  ]
    .flat()
    .map(String)
}

/** Answers come in the order of the commands. */
function lineReader(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) throw new Error('the sink has no output')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => undefined)
  return async () => {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('the sink does not answer')), replyDeadlineMs)
    try {
      const line = await Promise.race([lines.next(), late, failed])
      if (line.done === true) throw new Error('the sink ended')
      return line.value
    } finally {
      clearTimeout(timer)
    }
  }
}
