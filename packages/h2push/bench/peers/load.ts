import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

/** What a client is to do; every client is a program of its own that takes this as flags. */
export interface Load {
  /** Port of the sink on localhost. */
  readonly port: number
  /** PEM file of the authority that signed the sink. */
  readonly authority: string
  /** Client certificate and key, PEM files, for clients that do not start without. */
  readonly cert: string
  readonly key: string
  readonly connections: number
  /** Pushes in flight on each connection. */
  readonly streams: number
  /** Pushes before measuring, so that code is compiled and connections are up; at least one per connection. */
  readonly warmup: number
  /** Pushes that are measured. */
  readonly pushes: number
}

/** What a client prints, as one line of JSON: what it saw, over the measured pushes. */
export interface ClientResult {
  readonly pushes: number
  readonly seconds: number
  /** User and system time of the process. */
  readonly cpuSeconds: number
  /** Largest resident memory of the process so far. */
  readonly rssMb: number
  /** Pushes reported as accepted. */
  readonly ok: number
  /** Pushes reported as failed. */
  readonly failed: number
  /** Pushes that were never reported. */
  readonly hung: number
  /** Pushes whose outcome was unknown and that the client repeated, as often as it did. */
  readonly repeatedUnknown?: number
  /** What else is to be known about the run. */
  readonly note?: string
}

/** Body of every push: an empty dictionary, as a pass update has. */
export const PUSH_BODY = '{}'
/** Headers of every push besides the pseudo headers. */
export const pushHeaders = {
  'apns-topic': 'pass.example.stampede',
  'apns-push-type': 'background',
  'apns-priority': '5',
} as const

/** The flags that `readLoad` reads. */
export function loadFlags(load: Load): readonly string[] {
  return Object.entries(load).flatMap(([name, value]) => [`--${name}`, String(value)])
}

/** Reads the flags of this process. */
export function readLoad(): Load {
  const text = { type: 'string', default: '' } as const
  const number = { type: 'string', default: '0' } as const
  const { values } = parseArgs({
    options: {
      port: number,
      authority: text,
      cert: text,
      key: text,
      connections: number,
      streams: number,
      warmup: number,
      pushes: number,
    },
  })
  return {
    port: Number(values.port),
    authority: values.authority,
    cert: values.cert,
    key: values.key,
    connections: Number(values.connections),
    streams: Number(values.streams),
    warmup: Number(values.warmup),
    pushes: Number(values.pushes),
  }
}

const tokenPrefix = randomBytes(24).toString('hex')

/** Token number `index` of this process: 64 hexadecimal digits, different from any other process's. */
export function tokenAt(index: number): string {
  return tokenPrefix + index.toString(16).padStart(16, '0')
}
