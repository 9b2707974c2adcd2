import type { PushSettings } from '../domain/push-settings.ts'
import type { AnswerDetails } from '../domain/verdict.ts'

/** `tx` for single urgent pushes, `bulk` for campaigns; each has connections of its own. */
export type Lane = 'tx' | 'bulk'

/** What pushes are sent as. */
export type PushHeaders = Pick<PushSettings, 'pushType' | 'priority'>

/** Pushes of one brand that are alike but for the token. */
export interface PushBatch extends PushHeaders {
  /** Slug of the brand: its certificate is used. */
  readonly brand: string
  readonly lane: Lane
  /** Pass type id. */
  readonly topic: string
  /** Unix seconds until which APNs may keep the push. */
  readonly expirationSeconds: number
  /** Raw tokens, one after another: one push each. */
  readonly tokens: Uint8Array
  /** Length of each. */
  readonly tokenBytes: number
  /** Once aborted no further push of the batch is opened; those on the wire are awaited. */
  readonly signal: AbortSignal
}

/** What became of one attempt, as one byte. Only an `answered` one came from APNs. */
export const AnswerKind = {
  /** APNs answered, completely. */
  answered: 1,
  /** Certainly not processed (refused stream, or above a GOAWAY's last stream): safe to repeat. */
  unprocessed: 2,
  /** Sent, but the connection or the deadline ended before an answer: may have been processed. */
  unknown: 3,
  /** Not opened, because the batch's signal was aborted or the transport was disposed of. */
  unsent: 4,
  /** Not opened, because the brand's credential is missing or refused. */
  stopped: 5,
} as const

/** What became of a batch, in columns in the order of its tokens: no object per push that was accepted. */
export interface PushAnswers {
  /** AnswerKind of each push. */
  readonly kinds: Uint8Array
  /** HTTP status of each that was answered; else 0. */
  readonly statuses: Uint16Array
  /** Unix milliseconds of each answer; else 0. */
  readonly atMs: Float64Array
  /** What else was told, by push; only where an answer was not a plain 200. */
  readonly details: ReadonlyMap<number, AnswerDetails>
  /** Why pushes were stopped; empty when none was. */
  readonly stopReason: string
}

/**
 * Sends pushes to APNs, one attempt each. Repetition is the caller's decision: a transport only says what
 * is known. `send` never rejects.
 */
export interface ApnsTransport extends AsyncDisposable {
  send(batch: PushBatch): Promise<PushAnswers>
  /** Stops a brand until its credential changes or a probe is due. */
  stop(brand: string, reason: string): void
  /** Why a brand is stopped; undefined when it is not. */
  stopped(brand: string): string | undefined
}

/** The answers to a batch none of whose pushes was answered. */
export function answersOfOneKind(size: number, kind: number, stopReason = ''): PushAnswers {
  const kinds = new Uint8Array(size).fill(kind)
  return { kinds, statuses: new Uint16Array(size), atMs: new Float64Array(size), details: new Map(), stopReason }
}
