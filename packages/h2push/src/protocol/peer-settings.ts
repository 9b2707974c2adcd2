import { H2PushError } from '../errors.ts'
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  FRAME_BYTES_MAX,
  Setting,
  WINDOW_BYTES_MAX,
} from './constants.ts'
import { readUint32 } from './frames.ts'

/** What the peer allows us (RFC 9113 section 6.5.2). Without a value from it, the protocol's defaults. */
export interface PeerSettings {
  readonly headerTableBytes: number
  /** Lowest value that the last SETTINGS named on its way: it empties the table as well (RFC 7541 section 4.2). */
  readonly headerTableBytesLowest: number
  readonly maxConcurrentStreams: number
  readonly initialWindowBytes: number
  readonly frameBytesMax: number
  readonly headerListBytesMax: number
}

/** Before the first SETTINGS. */
export const defaultPeerSettings: PeerSettings = {
  headerTableBytes: 4_096,
  headerTableBytesLowest: 4_096,
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowBytes: DEFAULT_WINDOW_BYTES,
  frameBytesMax: DEFAULT_FRAME_BYTES,
  headerListBytesMax: Number.POSITIVE_INFINITY,
}

/** The settings after a SETTINGS payload, whose entries count in order; throws H2PushError `protocol`. */
export function applySettings(settings: PeerSettings, bytes: Uint8Array, start: number, end: number): PeerSettings {
  if ((end - start) % 6 !== 0) throw protocolError(ErrorCode.frameSizeError, 'SETTINGS of a broken length')
  const next = { ...settings, headerTableBytesLowest: Number.POSITIVE_INFINITY }
  for (let at = start; at < end; at += 6) {
    const value = readUint32(bytes, at + 2)
    switch (((bytes[at] as number) << 8) | (bytes[at + 1] as number)) {
      case Setting.headerTableSize:
        next.headerTableBytes = value
        next.headerTableBytesLowest = Math.min(next.headerTableBytesLowest, value)
        break
      case Setting.enablePush:
        // Only a client may say 1 (RFC 9113 section 6.5.2).
        if (value !== 0) throw protocolError(ErrorCode.protocolError, 'a server cannot allow pushes')
        break
      case Setting.maxConcurrentStreams:
        next.maxConcurrentStreams = value
        break
      case Setting.initialWindowSize:
        if (value > WINDOW_BYTES_MAX) throw protocolError(ErrorCode.flowControlError, 'INITIAL_WINDOW_SIZE too large')
        next.initialWindowBytes = value
        break
      case Setting.maxFrameSize:
        if (value < DEFAULT_FRAME_BYTES || value > FRAME_BYTES_MAX)
          throw protocolError(ErrorCode.protocolError, 'MAX_FRAME_SIZE out of range')
        next.frameBytesMax = value
        break
      case Setting.maxHeaderListSize:
        next.headerListBytesMax = value
        break
    }
  }
  return next
}

/** A violation by the peer. */
export function protocolError(h2Code: number, message: string): H2PushError {
  return new H2PushError('protocol', message, { h2Code })
}
