import { CLIENT_PREFACE, Flag, FRAME_HEADER_BYTES, FrameType, Setting } from './constants.ts'

/** Writes a frame header; returns the offset after it. */
export function writeFrameHeader(
  out: Uint8Array,
  at: number,
  payloadBytes: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  out[at] = payloadBytes >>> 16
  out[at + 1] = payloadBytes >>> 8
  out[at + 2] = payloadBytes
  out[at + 3] = type
  out[at + 4] = flags
  return writeUint32(out, at + 5, streamId)
}

/** Writes 32 bits, most significant byte first; returns the offset after them. */
export function writeUint32(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
  return at + 4
}

/** Reads 32 bits, most significant byte first. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

/** A copy of a range: `slice` of a Buffer would be a view of the read buffer, which is used again. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end)
}

/** What we announce to the peer. */
export interface LocalSettings {
  /** Dynamic table for response headers, in bytes. */
  readonly headerTableBytes: number
  /** Window of each response body, in bytes. */
  readonly streamWindowBytes: number
  /** Longest header list of a response, in bytes. */
  readonly headerListBytesMax: number
}

/** The first bytes of a client: preface and SETTINGS. */
export function preface({ headerTableBytes, streamWindowBytes, headerListBytesMax }: LocalSettings): Uint8Array {
  const entries = [
    [Setting.headerTableSize, headerTableBytes],
    [Setting.enablePush, 0],
    [Setting.initialWindowSize, streamWindowBytes],
    [Setting.maxHeaderListSize, headerListBytesMax],
  ] as const
  const out = Buffer.alloc(CLIENT_PREFACE.length + FRAME_HEADER_BYTES + entries.length * 6)
  out.set(CLIENT_PREFACE)
  let at = writeFrameHeader(out, CLIENT_PREFACE.length, entries.length * 6, FrameType.settings, 0, 0)
  for (const [id, value] of entries) {
    at = out.writeUInt16BE(id, at)
    at = writeUint32(out, at, value)
  }
  return out
}

/** SETTINGS with ACK. */
export function settingsAck(): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES)
  writeFrameHeader(out, 0, 0, FrameType.settings, Flag.ack, 0)
  return out
}

/** PING; `payload` is 8 bytes. */
export function ping(payload: Uint8Array, ack: boolean): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + 8)
  out.set(payload, writeFrameHeader(out, 0, 8, FrameType.ping, ack ? Flag.ack : 0, 0))
  return out
}

/** WINDOW_UPDATE of a stream, or of the connection with id 0. */
export function windowUpdate(streamId: number, bytes: number): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + 4)
  writeUint32(out, writeFrameHeader(out, 0, 4, FrameType.windowUpdate, 0, streamId), bytes)
  return out
}

/** RST_STREAM. */
export function rstStream(streamId: number, code: number): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + 4)
  writeUint32(out, writeFrameHeader(out, 0, 4, FrameType.rstStream, 0, streamId), code)
  return out
}

/** GOAWAY of a client: it never processes streams of the peer, so the last stream id is 0. */
export function goaway(code: number): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + 8)
  const at = writeUint32(out, writeFrameHeader(out, 0, 8, FrameType.goaway, 0, 0), 0)
  writeUint32(out, at, code)
  return out
}
