import type { ApnsReason } from './apns/rules.ts'
import { reasonStatus } from './apns/rules.ts'

/** How the APNs stand-in behaves. All can change while it runs. */
export interface ApnsFaults {
  /** SETTINGS_MAX_CONCURRENT_STREAMS; 1..100,000, default 1,000. */
  readonly streamLimit: number
  /** GOAWAY after this many requests of a connection; 0 (default): never. */
  readonly goawayEvery: number
  /** A second push to one token within this many ms is answered TooManyRequests; 0 (default): never. */
  readonly tokenIntervalMs: number
  /** Share of otherwise good pushes answered with `failReason`, 0..1, default 0. */
  readonly failShare: number
  /** Default ServiceUnavailable. */
  readonly failReason: ApnsReason
  /** Answers wait this long, ms, default 0. */
  readonly delayMs: number
  /** A connection with this many errors (less successes; BadDeviceToken counts double) is closed; default 500. */
  readonly errorLimit: number
}

/** How the Google stand-in behaves. */
export interface GoogleFaults {
  /** Requests of one issuer within any second, default 20. */
  readonly googleRps: number
  /** Share of calls answered with 503, 0..1, default 0. */
  readonly failShare: number
  /** Calls that are let through take effect, and are answered, after this, ms, default 0. */
  readonly delayMs: number
  /** Share of messages that are taken while the connection breaks off instead of an answer, 0..1, default 0. */
  readonly loseAnswerShare: number
  /** Share of notifications that are refused as too many whatever their number, 0..1, default 0. */
  readonly quotaShare: number
  /** Issuer for which the shares and the delay above are; empty (default): all. */
  readonly onlyIssuer: string
  /** How far Google's clock, which counts notifications within 24 hours, is ahead, ms, default 0. */
  readonly clockAheadMs: number
}

/** How the App Store Connect stand-in behaves. */
export interface AppStoreFaults {
  /** Share of requests for a certificate that are answered 500 although the certificate was made, 0..1, default 0. */
  readonly failAfterIssuingShare: number
  /** Share of requests for a certificate whose connection breaks off although it was made, 0..1, default 0. */
  readonly loseAnswerShare: number
  /** Share of calls answered 500 without effect, 0..1, default 0. */
  readonly failShare: number
  /** Share of calls answered 429 without effect, 0..1, default 0. */
  readonly throttleShare: number
  /** What a 429 tells to wait, seconds, default 1. */
  readonly retryAfterSeconds: number
  /** Share of calls answered 401 although their token is good, 0..1, default 0. */
  readonly refuseShare: number
  /** Calls take effect, and are answered, after this, ms, default 0; also when their caller is gone. */
  readonly delayMs: number
  /** Calls of one key within an hour, default 3,500. */
  readonly callsPerHour: number
  /** Life of new certificates, seconds, default a year. */
  readonly lifeSeconds: number
}

/** How phones behave. */
export interface PhoneFaults {
  /** Phones at work at once; 1..1,000, default 48. */
  readonly concurrency: number
  /** First wait before a visit is tried again, ms, default 500; doubles with each try. */
  readonly retryBaseMs: number
}

/** Everything that POST /faults can set. */
export interface Faults {
  readonly apns: ApnsFaults
  readonly google: GoogleFaults
  readonly appstore: AppStoreFaults
  readonly phones: PhoneFaults
}

/** A change of some faults. */
export type FaultsPatch = { readonly [Part in keyof Faults]?: Partial<Faults[Part]> }

/** Behaviour without faults. */
export const defaultFaults: Faults = {
  apns: {
    streamLimit: 1000,
    goawayEvery: 0,
    tokenIntervalMs: 0,
    failShare: 0,
    failReason: 'ServiceUnavailable',
    delayMs: 0,
    errorLimit: 500,
  },
  google: {
    googleRps: 20,
    failShare: 0,
    delayMs: 0,
    loseAnswerShare: 0,
    quotaShare: 0,
    onlyIssuer: '',
    clockAheadMs: 0,
  },
  appstore: {
    failAfterIssuingShare: 0,
    loseAnswerShare: 0,
    failShare: 0,
    throttleShare: 0,
    retryAfterSeconds: 1,
    refuseShare: 0,
    delayMs: 0,
    callsPerHour: 3500,
    lifeSeconds: 365 * 86_400,
  },
  phones: { concurrency: 48, retryBaseMs: 500 },
}

const ranges: Readonly<Record<string, readonly [min: number, max: number]>> = {
  streamLimit: [1, 100_000],
  goawayEvery: [0, 1_000_000_000],
  tokenIntervalMs: [0, 3_600_000],
  failShare: [0, 1],
  delayMs: [0, 60_000],
  loseAnswerShare: [0, 1],
  failAfterIssuingShare: [0, 1],
  throttleShare: [0, 1],
  refuseShare: [0, 1],
  retryAfterSeconds: [0, 3600],
  callsPerHour: [1, 1_000_000],
  lifeSeconds: [1, 400 * 86_400],
  quotaShare: [0, 1],
  clockAheadMs: [0, 30 * 86_400_000],
  errorLimit: [1, 1_000_000],
  googleRps: [1, 100_000],
  concurrency: [1, 1000],
  retryBaseMs: [1, 60_000],
}

function checkValue(path: string, name: string, value: unknown): void {
  if (name === 'failReason') {
    if (typeof value !== 'string' || !Object.hasOwn(reasonStatus, value))
      throw new RangeError(`${path}: unknown reason`)
    return
  }
  if (name === 'onlyIssuer') {
    if (typeof value !== 'string' || !/^[0-9]{0,19}$/.test(value)) throw new RangeError(`${path}: must be digits`)
    return
  }
  const range = ranges[name]
  if (!range || typeof value !== 'number' || !(value >= range[0] && value <= range[1])) {
    throw new RangeError(`${path}: must be a number${range ? ` from ${range[0]} to ${range[1]}` : ''}`)
  }
  if (!name.endsWith('Share') && !Number.isInteger(value)) throw new RangeError(`${path}: must be whole`)
}

/** The faults with a patch applied. Throws RangeError naming the field; nothing is changed then. */
export function patchFaults(faults: Faults, patch: unknown): Faults {
  if (typeof patch !== 'object' || patch === null) throw new RangeError('faults: must be an object')
  const next: Record<string, object> = { ...faults }
  for (const [part, values] of Object.entries(patch)) {
    const known = next[part]
    if (!known || !Object.hasOwn(defaultFaults, part)) throw new RangeError(`${part}: unknown part`)
    if (typeof values !== 'object' || values === null) throw new RangeError(`${part}: must be an object`)
    for (const [name, value] of Object.entries(values)) {
      if (!Object.hasOwn(known, name)) throw new RangeError(`${part}.${name}: unknown fault`)
      checkValue(`${part}.${name}`, name, value)
    }
    next[part] = { ...known, ...values }
  }
  return next as unknown as Faults
}
