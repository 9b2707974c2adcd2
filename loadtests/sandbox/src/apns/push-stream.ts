import type { PushHeaders, PushPayload } from './rules.ts'

/** A request from its headers to the end of its answer. */
export interface PushStream {
  readonly id: number
  readonly headers: PushHeaders
  /** Value of content-length; -1 without one. */
  readonly contentLength: number
  readonly payload: PushPayload & { bytes: number; start: number }
  /** All of it came. */
  received: boolean
  /** Answered or reset: nothing is written on it any more. */
  over: boolean
  /** Bytes of the body that were not given back to the client's window yet. */
  unreturnedBytes: number
  /** Bytes that the client lets us send on it. */
  sendWindowBytes: number
  /** Body of the answer that no window has let through yet. */
  unsent: Uint8Array
}

/** No bytes. */
export const nothing: Uint8Array = new Uint8Array(0)

/** A request whose headers came. */
export function openStream(
  id: number,
  headers: PushHeaders,
  contentLength: number,
  sendWindowBytes: number,
): PushStream {
  return {
    id,
    headers,
    contentLength,
    payload: { bytes: 0, start: 0 },
    received: false,
    over: false,
    unreturnedBytes: 0,
    sendWindowBytes,
    unsent: nothing,
  }
}
