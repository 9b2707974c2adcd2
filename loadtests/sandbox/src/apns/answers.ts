import {
  applySettings,
  DEFAULT_WINDOW_BYTES,
  defaultPeerSettings,
  ErrorCode,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  HpackEncoder,
  type PeerSettings,
  protocolError,
  Setting,
  settingsAck,
  WINDOW_BYTES_MAX,
  writeFrameHeader,
} from '@stampede/h2push/codec'
import type { Outbox } from './outbox.ts'
import { nothing, type PushStream } from './push-stream.ts'

/** Most bytes of a HEADERS frame: its header, two size updates, `:status` and an apns-id of 36 bytes. */
const HEADERS_BYTES_MAX = 128

/** The answers of one connection: encodes them, and sends bodies as far as the client's windows allow. */
export class Answers {
  readonly #outbox: Outbox
  readonly #encoder = new HpackEncoder()
  #peer: PeerSettings = defaultPeerSettings
  #sendWindowBytes = DEFAULT_WINDOW_BYTES
  /** Answers that wait for a window. */
  readonly #blocked = new Set<PushStream>()
  /** Header blocks without their apns-id by status; good while the encoder's epoch is the same. */
  readonly #stamps = new Map<number, Uint8Array>()
  #stampsEpoch = 0
  /** The apns-id that stands in the dynamic table, so that later ones need no name. */
  #indexedId = ''

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** Bytes that the client takes on a new stream. */
  get streamWindowBytes(): number {
    return this.#peer.initialWindowBytes
  }

  /** Writes an answer; its stream is `over` once all of it is written. `apnsId` has 36 characters. */
  send(stream: PushStream, status: number, apnsId: string, body: Uint8Array): void {
    const out = this.#outbox.reserve(HEADERS_BYTES_MAX)
    const start = this.#outbox.at
    const at = this.#block(out, start + FRAME_HEADER_BYTES, status, apnsId)
    const endStream = body.length === 0 ? Flag.endStream : 0
    const bytes = at - start - FRAME_HEADER_BYTES
    writeFrameHeader(out, start, bytes, FrameType.headers, Flag.endHeaders | endStream, stream.id)
    this.#outbox.commit(at)
    stream.unsent = body
    this.#sendBody(stream)
  }

  /** Sends what waited for a window; returns the streams that are over by that. */
  sendBlocked(): readonly PushStream[] {
    const waiting = [...this.#blocked]
    this.#blocked.clear()
    for (const stream of waiting) this.#sendBody(stream)
    return waiting.filter(({ over }) => over)
  }

  /** The stream ended otherwise. */
  forget(stream: PushStream): void {
    this.#blocked.delete(stream)
  }

  /** Takes and acknowledges the client's SETTINGS, which are for `streams` as well; throws H2PushError `protocol`. */
  onSettings(bytes: Uint8Array, start: number, end: number, streams: Iterable<PushStream>): void {
    const before = this.#peer
    const entries = withoutPush(bytes, start, end)
    this.#peer = applySettings(before, entries, 0, entries.length)
    const { headerTableBytes, headerTableBytesLowest, initialWindowBytes } = this.#peer
    if (headerTableBytesLowest !== Number.POSITIVE_INFINITY) {
      this.#encoder.setPeerTableBytesMax(headerTableBytesLowest)
      this.#encoder.setPeerTableBytesMax(headerTableBytes)
    }
    const growth = initialWindowBytes - before.initialWindowBytes
    for (const stream of growth === 0 ? [] : streams) {
      stream.sendWindowBytes += growth
      if (stream.sendWindowBytes > WINDOW_BYTES_MAX)
        throw protocolError(ErrorCode.flowControlError, 'INITIAL_WINDOW_SIZE overflows a window')
    }
    this.#outbox.append(settingsAck())
  }

  /** The client takes more bytes on all streams together; throws H2PushError `protocol` for an overflow. */
  widen(bytes: number): void {
    this.#sendWindowBytes += bytes
    if (this.#sendWindowBytes > WINDOW_BYTES_MAX)
      throw protocolError(ErrorCode.flowControlError, 'the window of the connection overflows')
  }

  #block(out: Buffer, at: number, status: number, apnsId: string): number {
    const encoder = this.#encoder
    if (encoder.epoch !== this.#stampsEpoch) {
      this.#stamps.clear()
      this.#stampsEpoch = encoder.epoch
    }
    const stamp = this.#stamps.get(status)
    if (stamp === undefined) return this.#encode(out, at, status, apnsId)
    out.set(stamp, at)
    return at + stamp.length + out.write(apnsId, at + stamp.length, 'latin1')
  }

  #encode(out: Buffer, at: number, status: number, apnsId: string): number {
    const encoder = this.#encoder
    const statusAt = encoder.begin(out, at)
    const idAt = encoder.header(out, statusAt, ':status', String(status), 'index')
    const isNameless = encoder.contains('apns-id', this.#indexedId) || !encoder.fits('apns-id', apnsId)
    const end = encoder.header(out, idAt, 'apns-id', apnsId, isNameless ? 'literal' : 'index')
    if (!isNameless) this.#indexedId = apnsId
    // With another table, which it may have made itself, it is made anew; with a size update it is written once.
    else if (statusAt === at) this.#stamps.set(status, Buffer.from(out.subarray(at, end - apnsId.length)))
    return end
  }

  #sendBody(stream: PushStream): void {
    const { unsent } = stream
    if (stream.over) return
    const window = Math.max(0, Math.min(stream.sendWindowBytes, this.#sendWindowBytes, this.#peer.frameBytesMax))
    const bytes = Math.min(unsent.length, window)
    stream.over = bytes === unsent.length
    if (bytes > 0) {
      const out = this.#outbox.reserve(FRAME_HEADER_BYTES + bytes)
      const flags = stream.over ? Flag.endStream : 0
      const at = writeFrameHeader(out, this.#outbox.at, bytes, FrameType.data, flags, stream.id)
      out.set(unsent.subarray(0, bytes), at)
      this.#outbox.commit(at + bytes)
      stream.sendWindowBytes -= bytes
      this.#sendWindowBytes -= bytes
      stream.unsent = stream.over ? nothing : unsent.subarray(bytes)
    }
    if (!stream.over) this.#blocked.add(stream)
  }
}

/** A copy of SETTINGS in which pushes are off: a client may allow them, but the codec reads what servers say. */
function withoutPush(bytes: Uint8Array, start: number, end: number): Buffer {
  const entries = Buffer.from(bytes.subarray(start, end))
  for (let at = 0; at + 6 <= entries.length; at += 6) {
    if (entries.readUInt16BE(at) !== Setting.enablePush) continue
    if (entries.readUInt32BE(at + 2) > 1) throw protocolError(ErrorCode.protocolError, 'ENABLE_PUSH is neither 0 nor 1')
    entries.writeUInt32BE(0, at + 2)
  }
  return entries
}
