/** What a connection authenticates with. */
export interface ClientIdentity {
  /** Leaf and intermediate, PEM. */
  readonly certPem: string
  readonly keyPem: string
  /** Trusted instead of the system's authorities, PEM; undefined for the system's. */
  readonly caPem: string | undefined
}

/** Waits and bounds of the transport, in milliseconds. Tests shorten them. */
export interface TransportTimings {
  /** From dialling to the peer's SETTINGS. */
  readonly handshakeMs: number
  /** From opening a push to its answer. */
  readonly pushMs: number
  /** From a PING to its answer. */
  readonly pingMs: number
  /** Without traffic, a PING is sent this often. */
  readonly idlePingMs: number
  /** Without pushes, a connection is closed after this. */
  readonly idleCloseMs: number
  /** How long a drained or replaced connection may finish what it has. */
  readonly drainMs: number
  /** First and longest wait between dials. */
  readonly dialBaseMs: number
  readonly dialMaxMs: number
  /** After this a stopped brand is tried once more, even if its credential did not change. */
  readonly stopProbeMs: number
  /** How often deadlines and idleness are looked at. */
  readonly sweepMs: number
}

/** Timings for Apple: rapid reconnecting counts as an attack there, so connections live for hours. */
export const defaultTimings: TransportTimings = {
  handshakeMs: 10_000,
  pushMs: 30_000,
  pingMs: 10_000,
  idlePingMs: 60_000,
  idleCloseMs: 7_200_000,
  drainMs: 60_000,
  dialBaseMs: 1_000,
  dialMaxMs: 60_000,
  stopProbeMs: 300_000,
  sweepMs: 1_000,
}

/** What a transport is made of. */
export interface TransportOptions {
  /** Origin of APNs, such as https://api.push.apple.com. */
  readonly url: string
  readonly timings: TransportTimings
  readonly events: TransportEvents
  /** The brand's identity now, asked at each dial; undefined while it has none. May throw: then the brand is stopped. */
  identity(brand: string): ClientIdentity | undefined
}

/** What a transport tells its metrics. */
export interface TransportEvents {
  dialed(brand: string): void
  dialFailed(brand: string, cause: string): void
  goaway(brand: string, code: number, reason: string): void
  /** Pushes on the wire when a connection was lost. */
  lost(brand: string, pushes: number, cause: string): void
  /** A brand was stopped, or (reason undefined) set free again. */
  stopped(brand: string, reason: string | undefined): void
}
