import type { LookupFunction } from 'node:net'
import { H2PushError } from '../errors.ts'

/** What a connection authenticates with, and whom it trusts. */
export interface TlsIdentity {
  /** Leaf first, then intermediates; PEM. Without it no client certificate is shown. */
  readonly certPem?: string
  readonly keyPem?: string
  /** Trusted instead of the system's authorities; PEM. */
  readonly caPem?: string
}

/** Waits, in milliseconds. */
export interface Timings {
  /** From dialling to the peer's SETTINGS; also for its acknowledgement of ours. Default 10,000. */
  readonly handshakeMs: number
  /** From opening a request to the end of its response. Default 30,000. */
  readonly requestMs: number
  /** With requests on the wire and nothing read for so long, a PING is sent. Default 5,000. */
  readonly quietMs: number
  /** From a PING to its answer: later the connection counts as dead. Default 10,000. */
  readonly pingMs: number
  /** Without requests, a PING is sent this often. Default 60,000. */
  readonly idlePingMs: number
  /** Without requests, a connection is closed after this. Default 7,200,000: Apple takes rapid reconnecting for an attack. */
  readonly idleCloseMs: number
  /** How long a connection that takes no new requests may finish what it has. Default 60,000. */
  readonly drainMs: number
  /** First wait after a failed dial; it doubles. Default 1,000. */
  readonly dialBaseMs: number
  /** Longest wait. Default 60,000. */
  readonly dialMaxMs: number
  /** A pool that needed fewer connections for so long closes one. Default 600,000. */
  readonly shrinkMs: number
  /** How often deadlines, idleness and the number of connections are looked at. Default 250. */
  readonly sweepMs: number
}

/** The defaults: for APNs. */
export const defaultTimings: Timings = {
  handshakeMs: 10_000,
  requestMs: 30_000,
  quietMs: 5_000,
  pingMs: 10_000,
  idlePingMs: 60_000,
  idleCloseMs: 7_200_000,
  drainMs: 60_000,
  dialBaseMs: 1_000,
  dialMaxMs: 60_000,
  shrinkMs: 600_000,
  sweepMs: 250,
}

/** Sizes. */
export interface Limits {
  /** Streams that one connection opens at once, whatever the peer allows; 1 to 10,000, default 4,000. */
  readonly streamsMax: number
  /** Requests that wait in a pool, 1 to 10,000,000; default 2,000,000. */
  readonly queuedMax: number
  /** Longest response body that is kept, in bytes; default 1 MiB. */
  readonly bodyBytesMax: number
  /** Longest header list of a response, in bytes; default 16 KiB. */
  readonly headerListBytesMax: number
  /** Window of each response body, in bytes; default 256 KiB. */
  readonly streamWindowBytes: number
  /**
   * Dynamic table for response headers, in bytes; default 4,096. With 0 the peer sends each header in full: less work
   * for us, more bytes; how APNs takes it is not known.
   */
  readonly headerTableBytes: number
}

/** The defaults. */
export const defaultLimits: Limits = {
  streamsMax: 4_000,
  queuedMax: 2_000_000,
  bodyBytesMax: 1_048_576,
  headerListBytesMax: 16_384,
  streamWindowBytes: 262_144,
  headerTableBytes: 4_096,
}

const limitRanges: Readonly<Record<keyof Limits, readonly [min: number, max: number]>> = {
  streamsMax: [1, 10_000],
  queuedMax: [1, 10_000_000],
  bodyBytesMax: [0, 67_108_864],
  headerListBytesMax: [1_024, 1_048_576],
  streamWindowBytes: [65_535, 16_777_216],
  headerTableBytes: [0, 65_536],
}

/** Completes and checks; throws H2PushError `invalid` naming the field. */
export function completeLimits(limits: Partial<Limits>): Limits {
  const complete = { ...defaultLimits, ...limits }
  for (const [name, [min, max]] of Object.entries(limitRanges)) {
    const value = complete[name as keyof Limits]
    if (!Number.isInteger(value) || value < min || value > max)
      throw new H2PushError('invalid', `limits.${name}: ${min} to ${max}`)
  }
  return complete
}

/** Completes and checks; throws H2PushError `invalid` naming the field. */
export function completeTimings(timings: Partial<Timings>): Timings {
  const complete = { ...defaultTimings, ...timings }
  for (const [name, value] of Object.entries(complete))
    if (!(value > 0 && value <= 0x7fff_ffff)) throw new H2PushError('invalid', `timings.${name}: 1 to 2^31-1`)
  return complete
}

/** Where to connect to, and how. */
export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly identity: TlsIdentity
  readonly timings: Timings
  readonly limits: Limits
  readonly probeFirst: boolean
  /** Resolves names; default node's, which keeps nothing from dial to dial. */
  readonly lookup: LookupFunction | undefined
}
