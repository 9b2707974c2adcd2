import { FRAME_HEADER_BYTES, FrameType, Setting, writeFrameHeader, writeUint32 } from '@stampede/h2push/codec'

type SettingEntry = readonly [id: number, value: number]

/** The first frame of a server: SETTINGS. */
export function serverSettings(headerTableBytes: number, streamLimit: number, headerListBytesMax: number): Uint8Array {
  return settings([
    [Setting.headerTableSize, headerTableBytes],
    [Setting.maxConcurrentStreams, streamLimit],
    [Setting.maxHeaderListSize, headerListBytesMax],
  ])
}

/** SETTINGS with another number of streams. */
export function streamLimitSettings(streamLimit: number): Uint8Array {
  return settings([[Setting.maxConcurrentStreams, streamLimit]])
}

/** GOAWAY of a server with text as debug data; streams up to the last one are answered. */
export function goaway(lastStreamId: number, code: number, debug: string): Uint8Array {
  const text = Buffer.from(debug)
  const out = new Uint8Array(FRAME_HEADER_BYTES + 8 + text.length)
  let at = writeFrameHeader(out, 0, 8 + text.length, FrameType.goaway, 0, 0)
  at = writeUint32(out, at, lastStreamId)
  at = writeUint32(out, at, code)
  out.set(text, at)
  return out
}

function settings(entries: readonly SettingEntry[]): Uint8Array {
  const out = Buffer.alloc(FRAME_HEADER_BYTES + entries.length * 6)
  let at = writeFrameHeader(out, 0, entries.length * 6, FrameType.settings, 0, 0)
  for (const [id, value] of entries) {
    at = out.writeUInt16BE(id, at)
    at = writeUint32(out, at, value)
  }
  return out
}
