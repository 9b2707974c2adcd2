/** Why a connection or a call failed. */
export type H2PushErrorCode =
  /** No TCP connection: refused, unreachable, unknown host. */
  | 'dial'
  /** The TLS handshake failed; `cause` holds OpenSSL's error with its own code. */
  | 'tls'
  /** There is no identity to dial with, or its key and certificate do not fit each other. */
  | 'identity'
  /** The peer does not speak HTTP/2. */
  | 'alpn'
  /** No SETTINGS within the handshake deadline. */
  | 'handshake_timeout'
  /** The peer broke the protocol; `h2Code` says how, and was sent to it. */
  | 'protocol'
  /** The peer did not answer a PING in time: the socket is half-open. */
  | 'ping_timeout'
  /** A draining connection did not finish in time. */
  | 'drain_timeout'
  /** The peer closed or reset the connection. */
  | 'closed'
  /** The pool's queue is full: wait for `room`. */
  | 'queue_full'
  /** A request or an option is malformed; the message names the field. */
  | 'invalid'
  /** The pool was disposed of. */
  | 'disposed'

/** The one error class of this package. */
export class H2PushError extends Error {
  override readonly name = 'H2PushError'
  readonly code: H2PushErrorCode
  /** HTTP/2 error code (RFC 9113 section 7) of a `protocol` error; else 0. */
  readonly h2Code: number

  constructor(
    code: H2PushErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly h2Code?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.h2Code = options.h2Code ?? 0
  }
}
