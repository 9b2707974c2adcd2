/**
 * The codec below the client: frames, HPACK and the numbers of RFC 9113, for test servers and tools. A server built on
 * it shares the client's faults, so judge the client with independent ones (node:http2, nghttpd, Go) as well.
 */
export { H2PushError } from './errors.ts'
export { type HeaderVisitor, HpackDecoder } from './hpack/decoder.ts'
export { HpackEncoder, headerBytesMax } from './hpack/encoder.ts'
export { HpackError } from './hpack/errors.ts'
export {
  CLIENT_PREFACE,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  Setting,
  WINDOW_BYTES_MAX,
} from './protocol/constants.ts'
export {
  copyBytes,
  ping,
  readUint32,
  rstStream,
  settingsAck,
  windowUpdate,
  writeFrameHeader,
  writeUint32,
} from './protocol/frames.ts'
export { applySettings, defaultPeerSettings, type PeerSettings, protocolError } from './protocol/peer-settings.ts'
export { type FrameHandler, FrameReader } from './session/frame-reader.ts'
export { withoutPadding } from './session/responses.ts'
