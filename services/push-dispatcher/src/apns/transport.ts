import type { ApnsAnswer } from '../domain/verdict.ts'

/** `tx` for single urgent pushes, `bulk` for campaigns; each has connections of its own. */
export type Lane = 'tx' | 'bulk'

/** Pushes of one brand that are alike but for the token. */
export interface PushBatch {
  /** Slug of the brand: its certificate is used. */
  readonly brand: string
  readonly lane: Lane
  /** Pass type id. */
  readonly topic: string
  /** One push each, raw. */
  readonly tokens: readonly Uint8Array[]
  /** Unix seconds until which APNs may keep the push. */
  readonly expirationSeconds: number
  /** Once aborted no further push of the batch is opened; those on the wire are awaited. */
  readonly signal: AbortSignal
}

/** What became of one attempt. Only an `answered` one came from APNs. */
export type PushAnswer =
  /** APNs answered, completely. */
  | ({ readonly kind: 'answered'; readonly atMs: number } & ApnsAnswer)
  /** Certainly not processed (refused stream, or above a GOAWAY's last stream): safe to repeat. */
  | { readonly kind: 'unprocessed'; readonly cause: string }
  /** Sent, but the connection or the deadline ended before an answer: may have been processed. */
  | { readonly kind: 'unknown'; readonly cause: string }
  /** Not opened, because the batch's signal was aborted. */
  | { readonly kind: 'unsent' }
  /** Not opened, because the brand's credential is missing or refused. */
  | { readonly kind: 'stopped'; readonly reason: string }

/**
 * Sends pushes to APNs, one attempt each. Repetition is the caller's decision: a transport only says what
 * is known. The answers are in the order of the tokens, exactly one per push, and `send` never rejects.
 */
export interface ApnsTransport extends AsyncDisposable {
  send(batch: PushBatch): Promise<readonly PushAnswer[]>
  /** Stops a brand until its credential changes or a probe is due. */
  stop(brand: string, reason: string): void
  /** Why a brand is stopped; undefined when it is not. */
  stopped(brand: string): string | undefined
}
