import { DECODER_TABLE_BYTES_MAX, HpackDecoder } from '../hpack/decoder.ts'
import { HpackError } from '../hpack/errors.ts'
import { decodeBlock } from '../hpack/testing/headers.ts'
import {
  CLIENT_PREFACE,
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  Flag,
  FrameType,
  Setting,
  STREAM_ID_MAX,
  WINDOW_BYTES_MAX,
} from '../protocol/constants.ts'
import type { Header } from '../request/outcome.ts'
import { FrameCutter, type ReceivedFrame } from './frame-cutter.ts'
import type { SettingEntry } from './frame-writer.ts'
import { type JudgedRequest, JudgedStreams } from './judged-streams.ts'
import { requestFaults } from './request-faults.ts'

/** Told what a client sent. */
export interface JudgeListener {
  /** The headers of a request came. */
  onOpen(request: JudgedRequest): void
  /** All of a request came. */
  onEnd(request: JudgedRequest): void
  /** The client reset a stream. */
  onReset(id: number, code: number): void
  /** SETTINGS that must be acknowledged. */
  onSettings(): void
  /** A PING that must be answered. */
  onPing(payload: Buffer): void
  onGoaway(code: number): void
}

/** What we allow the client, as far as it has acknowledged. */
interface Allowed {
  readonly tableBytes: number
  readonly streams: number
  readonly windowBytes: number
  readonly frameBytes: number
  readonly listBytes: number
}

/** Flags that a client may set, by type of frame. */
const knownFlags: readonly number[] = [
  Flag.endStream | Flag.padded,
  Flag.endStream | Flag.endHeaders | Flag.padded | Flag.priority,
  0,
  0,
  Flag.ack,
  0,
  Flag.ack,
  0,
  0,
  Flag.endHeaders,
]

/**
 * Reads what a client sends and notes whatever RFC 9113 forbids it, apart from the client's own code but for HPACK. It
 * holds the server's half of the state: what the server writes must be told to it.
 */
export class ClientJudge {
  /** What was wrong, in words; empty for a correct client. */
  readonly violations: string[] = []
  readonly streams: JudgedStreams
  readonly #listener: JudgeListener
  readonly #decoder = new HpackDecoder({ tableBytesMax: 4_096 })
  readonly #cutter = new FrameCutter()
  readonly #unackedSettings: (readonly SettingEntry[])[] = []
  readonly #unansweredPings: { readonly payload: Buffer; readonly afterGoaway: boolean }[] = []
  // One stream before our first SETTINGS is acknowledged.
  #allowed: Allowed = {
    tableBytes: 4_096,
    streams: 1,
    windowBytes: DEFAULT_WINDOW_BYTES,
    frameBytes: DEFAULT_FRAME_BYTES,
    listBytes: Number.POSITIVE_INFINITY,
  }
  #ackedOnce = false
  #prefaceLeft: Buffer = CLIENT_PREFACE
  #sawSettings = false
  #goawaySent = false
  /** The client has seen our GOAWAY: it answered a PING that followed it. */
  #goawaySeen = false
  #goawayReceived = false
  #open: { readonly frame: ReceivedFrame; readonly parts: Buffer[] } | undefined
  /** Largest table for our header blocks, in bytes. */
  tableBytesMax = 4_096
  /** Largest header list that the client takes, in bytes. */
  listBytesMax = Number.POSITIVE_INFINITY

  constructor(listener: JudgeListener) {
    this.#listener = listener
    this.streams = new JudgedStreams((what) => this.violations.push(what))
  }

  /** Settings and PINGs that the client has not acknowledged. */
  get unanswered(): number {
    return this.#unackedSettings.length + this.#unansweredPings.length
  }

  /** We wrote SETTINGS. */
  sentSettings(entries: readonly SettingEntry[]): void {
    this.#unackedSettings.push(entries)
  }

  /** We wrote a PING. */
  sentPing(payload: Buffer): void {
    this.#unansweredPings.push({ payload, afterGoaway: this.#goawaySent })
  }

  /** We wrote a GOAWAY. */
  sentGoaway(): void {
    this.#goawaySent = true
  }

  /** Takes bytes of the client. */
  receive(bytes: Uint8Array): void {
    let rest = bytes
    if (this.#prefaceLeft.length > 0) {
      const length = Math.min(rest.length, this.#prefaceLeft.length)
      if (this.#prefaceLeft.compare(rest, 0, length, 0, length) !== 0) this.violations.push('a wrong preface')
      this.#prefaceLeft = this.#prefaceLeft.subarray(length)
      rest = rest.subarray(length)
    }
    for (const frame of this.#cutter.cut(rest)) this.#onFrame(frame)
  }

  #onFrame(frame: ReceivedFrame): void {
    const { type, flags, streamId, payload } = frame
    const { violations } = this
    if (payload.length > this.#allowed.frameBytes) violations.push(`a frame of ${payload.length} bytes`)
    if (streamId > STREAM_ID_MAX) violations.push('the reserved bit of a frame header is set')
    if ((flags & ~(knownFlags[type] ?? 0)) !== 0) violations.push(`flags ${flags} on a frame of type ${type}`)
    if (!this.#sawSettings && (type !== FrameType.settings || flags !== 0))
      violations.push('the first frame is not SETTINGS')
    if (this.#open !== undefined && (type !== FrameType.continuation || streamId !== this.#open.frame.streamId))
      violations.push(`a header block is interrupted by a frame of type ${type}`)
    if (this.#goawayReceived) violations.push(`a frame of type ${type} after GOAWAY`)
    switch (type) {
      case FrameType.data:
        this.#onData(frame)
        return
      case FrameType.headers:
        this.#onHeaders(frame)
        return
      case FrameType.continuation:
        this.#onContinuation(frame)
        return
      case FrameType.rstStream:
        if (payload.length !== 4) violations.push('RST_STREAM of a wrong length')
        else if (this.streams.resetByClient(streamId)) this.#listener.onReset(streamId, payload.readUInt32BE())
        return
      default:
        this.#onControl(frame)
    }
  }

  #onControl({ type, flags, streamId, payload }: ReceivedFrame): void {
    const { violations } = this
    switch (type) {
      case FrameType.settings:
        if (streamId !== 0) violations.push('SETTINGS on a stream')
        if ((flags & Flag.ack) === 0) this.#onSettings(payload)
        else this.#onSettingsAck(payload)
        return
      case FrameType.ping:
        if (streamId !== 0 || payload.length !== 8) violations.push('a malformed PING')
        if ((flags & Flag.ack) === 0) this.#listener.onPing(payload)
        else this.#onPong(payload)
        return
      case FrameType.goaway:
        if (streamId !== 0 || payload.length < 8) violations.push('a malformed GOAWAY')
        else if (payload.readUInt32BE() !== 0) violations.push('GOAWAY names a stream of ours')
        else this.#listener.onGoaway(payload.readUInt32BE(4))
        this.#goawayReceived = true
        return
      case FrameType.windowUpdate:
        if (payload.length !== 4) violations.push('WINDOW_UPDATE of a wrong length')
        else this.streams.grantedByClient(streamId, payload.readUInt32BE())
        return
      default:
        violations.push(`a frame of type ${type}`)
    }
  }

  #onData({ flags, streamId, payload }: ReceivedFrame): void {
    const body = this.#withoutPadding(flags, payload)
    const request = this.streams.dataFromClient(streamId, payload.length, body, (flags & Flag.endStream) !== 0)
    if (request?.ended === true) this.#listener.onEnd(request)
  }

  #onHeaders(frame: ReceivedFrame): void {
    const { flags, payload } = frame
    let block = this.#withoutPadding(flags, payload)
    if ((flags & Flag.priority) !== 0) block = block.subarray(5)
    if ((flags & Flag.endHeaders) !== 0) this.#onBlock(frame, block)
    else this.#open = { frame, parts: [block] }
  }

  #onContinuation({ flags, payload }: ReceivedFrame): void {
    const open = this.#open
    if (open === undefined) {
      this.violations.push('CONTINUATION out of place')
      return
    }
    open.parts.push(payload)
    if ((flags & Flag.endHeaders) === 0) return
    this.#open = undefined
    this.#onBlock(open.frame, Buffer.concat(open.parts))
  }

  #onBlock({ flags, streamId }: ReceivedFrame, block: Buffer): void {
    const headers = this.#decode(block)
    if (this.#goawaySeen) this.violations.push(`stream ${streamId} opened after GOAWAY`)
    if (!this.#ackedOnce) this.violations.push(`stream ${streamId} before our SETTINGS were acknowledged`)
    const { streams, windowBytes, listBytes } = this.#allowed
    if (headers.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0) > listBytes)
      this.violations.push('a header list longer than allowed')
    for (const fault of requestFaults(headers)) this.violations.push(`${fault} on stream ${streamId}`)
    const request = this.streams.open(streamId, headers, windowBytes, streams)
    if (request === undefined) return
    request.ended = (flags & Flag.endStream) !== 0
    this.#listener.onOpen(request)
    if (request.ended) this.#listener.onEnd(request)
  }

  #decode(block: Buffer): readonly Header[] {
    try {
      return decodeBlock(this.#decoder, block)
    } catch (error) {
      if (!(error instanceof HpackError)) throw error
      this.violations.push(`HPACK: ${error.message}`)
      return []
    }
  }

  #onSettings(payload: Buffer): void {
    if (payload.length % 6 !== 0) this.violations.push('SETTINGS of a wrong length')
    this.#sawSettings = true
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const id = payload.readUInt16BE(at)
      const value = payload.readUInt32BE(at + 2)
      if (id === Setting.headerTableSize) this.tableBytesMax = value
      if (id === Setting.enablePush && value !== 0) this.violations.push('pushes are allowed')
      if (id === Setting.maxHeaderListSize) this.listBytesMax = value
      if (id === Setting.initialWindowSize && value > WINDOW_BYTES_MAX) this.violations.push('a window too large')
      if (id === Setting.initialWindowSize) this.streams.clientWindowBytes = value
    }
    this.#listener.onSettings()
  }

  #onSettingsAck(payload: Buffer): void {
    if (payload.length > 0) this.violations.push('SETTINGS with ACK and a payload')
    const entries = this.#unackedSettings.shift()
    if (entries === undefined) {
      this.violations.push('an acknowledgement without SETTINGS')
      return
    }
    const before = this.#allowed
    let next = this.#ackedOnce ? before : { ...before, streams: Number.POSITIVE_INFINITY }
    for (const [id, value] of entries) {
      if (id === Setting.headerTableSize) {
        this.#decoder.setTableBytesMax(Math.min(value, DECODER_TABLE_BYTES_MAX))
        next = { ...next, tableBytes: value }
      }
      if (id === Setting.maxConcurrentStreams) next = { ...next, streams: value }
      if (id === Setting.initialWindowSize) next = { ...next, windowBytes: value }
      if (id === Setting.maxFrameSize) next = { ...next, frameBytes: value }
      if (id === Setting.maxHeaderListSize) next = { ...next, listBytes: value }
    }
    this.streams.widen(next.windowBytes - before.windowBytes)
    this.#allowed = next
    this.#ackedOnce = true
  }

  #onPong(payload: Buffer): void {
    const ping = this.#unansweredPings.shift()
    if (ping?.payload.equals(payload) !== true) this.violations.push('an answer to a PING that was not sent')
    if (ping?.afterGoaway === true) this.#goawaySeen = true
  }

  #withoutPadding(flags: number, payload: Buffer): Buffer {
    if ((flags & Flag.padded) === 0) return payload
    const padding = payload.readUInt8()
    if (padding >= payload.length) this.violations.push('padding longer than its frame')
    return payload.subarray(1, Math.max(1, payload.length - padding))
  }
}
