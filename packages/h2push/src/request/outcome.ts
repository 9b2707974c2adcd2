/**
 * What became of a request, as one byte of a block's `outcomes`. Each request ends in exactly one of those above 0.
 */
export const OutcomeCode = {
  /** Not ended yet. */
  pending: 0,
  /** The peer answered, completely; the status says what. */
  response: 1,
  /** Certainly not processed (refused stream, above a GOAWAY's last stream, never written): safe to repeat. */
  notProcessed: 2,
  /** Written, but no answer came: may have been processed. */
  unknown: 3,
  /** Ended by us: its deadline passed. On the wire it may have been processed. */
  deadline: 4,
  /** Ended by us: it was cancelled. On the wire it may have been processed. */
  cancelled: 5,
} as const

/** One of the codes. */
export type Outcome = (typeof OutcomeCode)[keyof typeof OutcomeCode]

/** A header: name in lower case, value. Latin-1. */
export type Header = readonly [name: string, value: string]

/** A response in full. */
export interface Response {
  readonly status: number
  /** Without pseudo headers, in the order of the wire. */
  readonly headers: readonly Header[]
  /** Empty when there is none. */
  readonly body: Uint8Array
  /** True when the body was longer than allowed: `body` holds its start. */
  readonly truncated: boolean
  readonly trailers: readonly Header[]
}

/** What became of a single request. */
export type RequestOutcome =
  | ({ readonly kind: 'response' } & Response)
  /** Certainly not processed: safe to repeat. */
  | { readonly kind: 'not-processed'; readonly cause: string }
  /** May have been processed. */
  | { readonly kind: 'unknown'; readonly cause: string }
  /** Ended by us; `sent` says whether it may have been processed. */
  | { readonly kind: 'ended'; readonly reason: 'deadline' | 'cancelled'; readonly sent: boolean }
