/** Frame types (RFC 9113 section 6). */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Frame flags; END_STREAM and ACK share a bit. */
export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

/** Error codes (RFC 9113 section 7). */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const

/** Identifiers of settings (RFC 9113 section 6.5.2). */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** Bytes before the payload of a frame. */
export const FRAME_HEADER_BYTES = 9
/** What a client sends before its first frame (RFC 9113 section 3.4). */
export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
/** Window of a connection and of its streams before any setting. */
export const DEFAULT_WINDOW_BYTES = 65_535
/** Largest window. */
export const WINDOW_BYTES_MAX = 0x7fff_ffff
/** Largest frame payload before any setting; ours is never larger. */
export const DEFAULT_FRAME_BYTES = 16_384
/** Largest value that a peer may set for it. */
export const FRAME_BYTES_MAX = 0xff_ffff
/** Highest stream id. */
export const STREAM_ID_MAX = 0x7fff_ffff
