import { Flag, FRAME_HEADER_BYTES, FrameType, Setting } from '../protocol/constants.ts'
import { writeFrameHeader, writeUint32 } from '../protocol/frames.ts'

/** A setting and its value. */
export type SettingEntry = readonly [id: number, value: number]

const nothing = new Uint8Array(0)

/** A frame as it stands, legal or not. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = nothing): Buffer {
  const out = Buffer.alloc(FRAME_HEADER_BYTES + payload.length)
  out.set(payload, writeFrameHeader(out, 0, payload.length, type, flags, streamId))
  return out
}

/** SETTINGS. */
export function settingsFrame(entries: readonly SettingEntry[] = []): Buffer {
  const payload = Buffer.alloc(entries.length * 6)
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6)
    payload.writeUInt32BE(value, index * 6 + 2)
  })
  return frame(FrameType.settings, 0, 0, payload)
}

/** GOAWAY of a server. */
export function goawayFrame(lastId: number, code: number, debug = ''): Buffer {
  return frame(FrameType.goaway, 0, 0, Buffer.concat([uint32(lastId), uint32(code), Buffer.from(debug)]))
}

/** WINDOW_UPDATE. */
export function windowUpdateFrame(streamId: number, bytes: number): Buffer {
  return frame(FrameType.windowUpdate, 0, streamId, uint32(bytes))
}

/** RST_STREAM. */
export function resetFrame(streamId: number, code: number): Buffer {
  return frame(FrameType.rstStream, 0, streamId, uint32(code))
}

/** PING. */
export function pingFrame(payload: Uint8Array, ack = false): Buffer {
  return frame(FrameType.ping, ack ? Flag.ack : 0, 0, payload)
}

/** DATA without padding. */
export function dataFrame(streamId: number, body: Uint8Array, endStream: boolean): Buffer {
  return frame(FrameType.data, endStream ? Flag.endStream : 0, streamId, body)
}

/** HEADERS that need no CONTINUATION. */
export function headersFrame(streamId: number, block: Uint8Array, endStream: boolean): Buffer {
  return frame(FrameType.headers, Flag.endHeaders | (endStream ? Flag.endStream : 0), streamId, block)
}

/** A payload between its length of padding and the padding. */
export function withPadding(payload: Uint8Array, paddingBytes: number): Buffer {
  return Buffer.concat([Buffer.from([paddingBytes]), payload, Buffer.alloc(paddingBytes)])
}

/** 32 bits, most significant byte first. */
export function uint32(value: number): Buffer {
  const out = Buffer.alloc(4)
  writeUint32(out, 0, value)
  return out
}

/** The first frame of a server. */
export const plainSettings: Buffer = settingsFrame([[Setting.maxConcurrentStreams, 1_000]])
/** Its acknowledgement of ours. */
export const settingsAckFrame: Buffer = frame(FrameType.settings, Flag.ack, 0)
