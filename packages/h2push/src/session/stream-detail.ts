import type { Header } from '../request/outcome.ts'
import type { SingleRequest } from '../request/single.ts'

/** A stream that is more than a prepared request waiting for a short answer. */
export interface StreamDetail {
  /** The single request; undefined for one of a block. */
  readonly single: SingleRequest | undefined
  /** Nobody waits any more: the stream only counts until the peer ends it. */
  abandoned: boolean
  /** Request body that is not written yet; empty when all is. */
  unsentBody: Uint8Array
  /** Whether our END_STREAM was written. */
  requestEnded: boolean
  /** Bytes that the peer lets us send on the stream. */
  sendWindowBytes: number
  /** Status of the final response headers; 0 before them. */
  status: number
  headers: readonly Header[]
  trailers: readonly Header[]
  bodyParts: Uint8Array[]
  /** Bytes of the response body so far, those dropped included. */
  bodyBytes: number
  /** Value of content-length; -1 without one. */
  contentLength: number
  /** Bytes received and not given back to the peer's window yet. */
  unreturnedBytes: number
}

/** A detail with nothing received yet. */
export function newDetail(single: SingleRequest | undefined, sendWindowBytes: number): StreamDetail {
  return {
    single,
    abandoned: false,
    unsentBody: nothing,
    requestEnded: true,
    sendWindowBytes,
    status: 0,
    headers: [],
    trailers: [],
    bodyParts: [],
    bodyBytes: 0,
    contentLength: -1,
    unreturnedBytes: 0,
  }
}

/** No bytes. */
export const nothing = new Uint8Array(0)
