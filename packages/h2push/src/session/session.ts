import { HpackError } from '../hpack/errors.ts'
import { ErrorCode, Flag, FrameType, WINDOW_BYTES_MAX } from '../protocol/constants.ts'
import { copyBytes, goaway, ping, preface, readUint32, settingsAck, windowUpdate } from '../protocol/frames.ts'
import { applySettings, protocolError } from '../protocol/peer-settings.ts'
import { OutcomeCode } from '../request/outcome.ts'
import { SessionCore, type SessionOptions } from './core.ts'
import { type FrameHandler, FrameReader } from './frame-reader.ts'
import { goawayReason } from './goaway-reason.ts'
import type { SessionHost } from './host.ts'
import { CONNECTION_WINDOW_BYTES, Responses, withoutPadding } from './responses.ts'
import { Sender } from './sender.ts'
import { newDetail } from './stream-detail.ts'
import type { WriteBuffers } from './write-buffers.ts'

/** Longest header block of a response, in bytes, over all its CONTINUATIONs. */
const HEADER_BLOCK_BYTES_MAX = 65_536
/** CONTINUATIONs of one block. */
const CONTINUATIONS_MAX = 64
/** Streams that we cancel between two calls of `tick`: more would look like an attack. */
const CANCELS_MAX = 5

/** idle: no SETTINGS yet · ready: takes requests · draining: finishes what it has · ended. */
export type SessionState = 'idle' | 'ready' | 'draining' | 'ended'

/** A header block that goes on in CONTINUATIONs. */
interface OpenBlock {
  readonly streamId: number
  readonly endStream: boolean
  readonly parts: Uint8Array[]
  bytes: number
}

/**
 * The client's half of an HTTP/2 connection (RFC 9113) without a socket: bytes in, bytes out, outcomes into the blocks.
 * `receive` throws H2PushError `protocol` when the peer breaks the protocol; the owner then calls `abort`.
 */
export class Session implements FrameHandler {
  readonly #core: SessionCore
  readonly #frames: FrameReader
  readonly #sender: Sender
  readonly #responses: Responses
  #state: SessionState = 'idle'
  #started = false
  #settingsAcked = false
  #open: OpenBlock | undefined
  #cancels = 0
  #sawFrame = false

  constructor(host: SessionHost, options: SessionOptions, buffers: WriteBuffers) {
    this.#core = new SessionCore(host, options)
    this.#frames = new FrameReader(this)
    this.#sender = new Sender(this.#core, buffers)
    this.#responses = new Responses(this.#core)
  }

  get state(): SessionState {
    return this.#state
  }

  /** Requests on the wire. */
  get live(): number {
    return this.#core.table.live
  }

  /** Requests that may be opened now. */
  get free(): number {
    return this.#state === 'ready' ? this.#sender.free : 0
  }

  /** Streams that the peer and we allow at once. */
  get streamLimit(): number {
    return Math.min(this.#core.peer.maxConcurrentStreams, this.#core.options.streamsMax)
  }

  /** Complete responses so far. */
  get answered(): number {
    return this.#core.answered
  }

  /** Requests that ended as unknown. */
  get unknown(): number {
    return this.#core.unknown
  }

  /** Whether the peer acknowledged our settings. */
  get settingsAcked(): boolean {
    return this.#settingsAcked
  }

  /** Sends the preface. */
  start(): void {
    const { host, options } = this.#core
    this.#started = true
    host.write(preface(options.local))
    host.write(windowUpdate(0, CONNECTION_WINDOW_BYTES - 65_535))
  }

  /** Takes `length` bytes of the socket. */
  receive(bytes: Uint8Array, length: number): void {
    if (this.#state === 'ended') return
    const { host, table } = this.#core
    this.#core.nowMs = host.now()
    try {
      this.#frames.read(bytes, length)
    } catch (error) {
      if (!(error instanceof HpackError)) throw error
      throw protocolError(ErrorCode.compressionError, error.message)
    }
    if (this.#state === 'ready' && table.idsLeft <= 0) this.drain()
    if (this.#state === 'draining' && table.live === 0) host.onDrained()
    else host.scheduleFill()
  }

  /** Opens what may be opened; `late`: also if it is little. */
  fill(late: boolean): void {
    if (this.#state === 'ready') this.#sender.fill(late)
    if (this.#state !== 'draining') return
    this.#sender.writeBodies()
    // The last request may have been cancelled by its caller.
    if (this.#core.table.live === 0) this.#core.host.onDrained()
  }

  /** A write buffer is free again. */
  released(): void {
    this.#sender.released()
    if (this.#state !== 'ended') this.#core.host.scheduleFill()
  }

  /** Asks for a sign of life. */
  ping(payload: Uint8Array): void {
    this.#core.host.write(ping(payload, false))
  }

  /** Opens no further stream; `onDrained` follows when the last one has ended. */
  drain(): void {
    if (this.#state === 'draining' || this.#state === 'ended') return
    this.#state = 'draining'
    if (this.#core.table.live === 0) this.#core.host.onDrained()
  }

  /** Once a second: flood counters start anew. */
  tick(): void {
    this.#core.idleFrames = 0
    this.#cancels = 0
  }

  /** When the earliest request of a block was opened; Infinity when there is none. Single ones have timers of their own. */
  oldestAtMs(): number {
    const { blocks, openedAtMs } = this.#core.table
    let oldest = Number.POSITIVE_INFINITY
    for (let slot = 0; slot < blocks.length; slot += 1)
      if (blocks[slot] !== undefined) oldest = Math.min(oldest, openedAtMs[slot] as number)
    return oldest
  }

  /**
   * Ends requests of blocks that were opened at that instant or before, their deadline being over. Few streams are reset; the others stay
   * open without anybody waiting, and count until the peer ends them. Returns how many are left like that.
   */
  expire(openedByMs: number): number {
    const core = this.#core
    core.nowMs = core.host.now()
    for (const slot of core.table.slotsOpenedBy(openedByMs)) this.#abandon(slot)
    let abandoned = 0
    for (const detail of core.table.details.values()) if (detail.abandoned) abandoned += 1
    return abandoned
  }

  /** Ends at once: tells the peer why, and every request its outcome. Safe to call twice. */
  abort(h2Code: number, cause: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const core = this.#core
    core.nowMs = core.host.now()
    if (this.#started) core.host.write(goaway(h2Code))
    for (const slot of core.table.slotsAbove(0)) {
      core.endUnknown(slot, cause)
      core.table.close(slot)
    }
  }

  /** A frame of the peer. */
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === FrameType.headers && (flags & (Flag.padded | Flag.priority)) === 0 && this.#sawFrame) {
      this.#onHeaders(flags, streamId, bytes, start, end)
      return
    }
    if (this.#open !== undefined && type !== FrameType.continuation)
      throw protocolError(ErrorCode.protocolError, 'a header block is interrupted')
    if (!this.#sawFrame && (type !== FrameType.settings || (flags & Flag.ack) !== 0))
      throw protocolError(ErrorCode.protocolError, 'the first frame is not SETTINGS')
    this.#sawFrame = true
    switch (type) {
      case FrameType.data:
        this.#onData(flags, streamId, bytes, start, end)
        return
      case FrameType.headers:
        this.#onPaddedHeaders(flags, streamId, bytes, start, end)
        return
      case FrameType.continuation:
        this.#onContinuation(flags, streamId, bytes, start, end)
        return
      case FrameType.rstStream:
        expectLength(end - start === 4 && streamId !== 0, streamId, 'RST_STREAM')
        this.#responses.onReset(streamId, readUint32(bytes, start))
        return
      case FrameType.goaway:
        this.#onGoaway(streamId, bytes, start, end)
        return
      case FrameType.pushPromise:
        throw protocolError(ErrorCode.protocolError, 'PUSH_PROMISE though pushes are off')
      default:
        this.#onControl(type, flags, streamId, bytes, start, end)
    }
  }

  #onControl(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    this.#core.countIdleFrame()
    switch (type) {
      case FrameType.settings:
        this.#onSettings(flags, streamId, bytes, start, end)
        return
      case FrameType.ping:
        if (streamId !== 0) throw protocolError(ErrorCode.protocolError, 'PING on a stream')
        if (end - start !== 8) throw protocolError(ErrorCode.frameSizeError, 'PING of a wrong length')
        if ((flags & Flag.ack) !== 0) this.#core.host.onPong()
        else this.#core.host.write(ping(copyBytes(bytes, start, end), true))
        return
      case FrameType.windowUpdate:
        this.#onWindowUpdate(streamId, bytes, start, end)
        return
      case FrameType.priority:
        // Deprecated and without meaning for a client, but it may come (RFC 9113 section 5.3.2).
        expectLength(end - start === 5 && streamId !== 0, streamId, 'PRIORITY')
    }
  }

  #onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#open !== undefined) throw protocolError(ErrorCode.protocolError, 'a header block is interrupted')
    const endStream = (flags & Flag.endStream) !== 0
    if ((flags & Flag.endHeaders) !== 0) {
      if (endStream) this.#core.idleFrames = 0
      this.#responses.onHeaders(id, endStream, bytes, start, end)
      return
    }
    if (id === 0) throw protocolError(ErrorCode.protocolError, 'HEADERS on stream 0')
    this.#open = { streamId: id, endStream, parts: [copyBytes(bytes, start, end)], bytes: end - start }
  }

  #onPaddedHeaders(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    let { start, end } = withoutPadding(flags, bytes, from, to)
    if ((flags & Flag.priority) !== 0) start += 5
    if (start > end) throw protocolError(ErrorCode.frameSizeError, 'HEADERS shorter than its priority')
    this.#onHeaders(flags, id, bytes, start, end)
  }

  #onContinuation(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    const open = this.#open
    if (open === undefined || open.streamId !== id)
      throw protocolError(ErrorCode.protocolError, 'CONTINUATION out of place')
    open.parts.push(copyBytes(bytes, start, end))
    open.bytes += end - start
    if (open.bytes > HEADER_BLOCK_BYTES_MAX || open.parts.length > CONTINUATIONS_MAX)
      throw protocolError(ErrorCode.enhanceYourCalm, 'a header block without an end')
    if ((flags & Flag.endHeaders) === 0) return
    this.#open = undefined
    this.#responses.onHeaders(id, open.endStream, Buffer.concat(open.parts), 0, open.bytes)
  }

  #onData(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id === 0) throw protocolError(ErrorCode.protocolError, 'DATA on stream 0')
    const { start, end } = withoutPadding(flags, bytes, from, to)
    const endStream = (flags & Flag.endStream) !== 0
    if (endStream) this.#core.idleFrames = 0
    else if (start === end) this.#core.countIdleFrame()
    this.#responses.onData(id, endStream, bytes, start, end, to - from)
  }

  #onSettings(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core
    if (streamId !== 0) throw protocolError(ErrorCode.protocolError, 'SETTINGS on a stream')
    if ((flags & Flag.ack) !== 0) {
      if (end !== start) throw protocolError(ErrorCode.frameSizeError, 'SETTINGS with ACK and a payload')
      this.#settingsAcked = true
      core.decoder.setTableBytesMax(core.options.local.headerTableBytes)
      return
    }
    const before = core.peer
    core.peer = applySettings(before, bytes, start, end)
    const { headerTableBytes, headerTableBytesLowest, initialWindowBytes } = core.peer
    if (headerTableBytesLowest !== Number.POSITIVE_INFINITY) {
      core.encoder.setPeerTableBytesMax(headerTableBytesLowest)
      core.encoder.setPeerTableBytesMax(headerTableBytes)
    }
    const growth = initialWindowBytes - before.initialWindowBytes
    for (const detail of growth === 0 ? [] : core.table.details.values()) {
      detail.sendWindowBytes += growth
      if (detail.sendWindowBytes > WINDOW_BYTES_MAX)
        throw protocolError(ErrorCode.flowControlError, 'INITIAL_WINDOW_SIZE overflows a window')
    }
    core.host.write(settingsAck())
    if (this.#state !== 'idle') return
    this.#state = 'ready'
    core.host.onReady()
  }

  #onWindowUpdate(id: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core
    if (end - start !== 4) throw protocolError(ErrorCode.frameSizeError, 'WINDOW_UPDATE of a wrong length')
    const increment = readUint32(bytes, start) & WINDOW_BYTES_MAX
    if (id === 0) {
      core.sendWindowBytes += increment
      if (increment === 0) throw protocolError(ErrorCode.protocolError, 'WINDOW_UPDATE of 0')
      if (core.sendWindowBytes > WINDOW_BYTES_MAX)
        throw protocolError(ErrorCode.flowControlError, 'the window of the connection overflows')
      return
    }
    const slot = core.table.slotOf(id)
    if (slot < 0) {
      if (core.table.isIdle(id)) throw protocolError(ErrorCode.protocolError, `WINDOW_UPDATE on idle stream ${id}`)
      return
    }
    const bodyBytes = core.table.blocks[slot]?.template.body.length ?? 0
    const detail = core.table.details.get(id) ?? newDetail(undefined, core.peer.initialWindowBytes - bodyBytes)
    core.table.details.set(id, detail)
    detail.sendWindowBytes += increment
    const code = increment === 0 ? ErrorCode.protocolError : ErrorCode.flowControlError
    if (increment !== 0 && detail.sendWindowBytes <= WINDOW_BYTES_MAX) return
    core.endUnknown(slot, 'the peer broke the flow control of the stream')
    core.reset(slot, code)
  }

  #onGoaway(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core
    if (streamId !== 0) throw protocolError(ErrorCode.protocolError, 'GOAWAY on a stream')
    if (end - start < 8) throw protocolError(ErrorCode.frameSizeError, 'GOAWAY of a wrong length')
    const lastId = readUint32(bytes, start) & 0x7fff_ffff
    const code = readUint32(bytes, start + 4)
    if (core.goawayLastId !== undefined && lastId > core.goawayLastId)
      throw protocolError(ErrorCode.protocolError, 'a second GOAWAY takes more streams than the first')
    core.goawayLastId = lastId
    this.#state = 'draining'
    // What the peer will not look at is handed back before anybody hears of the GOAWAY: a replacement can take it.
    for (const slot of core.table.slotsAbove(lastId)) core.giveBack(slot, 'above the last stream of a GOAWAY')
    core.host.onGoaway(code, goawayReason(bytes, start + 8, end))
  }

  #abandon(slot: number): void {
    const core = this.#core
    const { table } = core
    const id = table.ids[slot] as number
    const known = table.details.get(id)
    const block = table.blocks[slot]
    if (block === undefined) return
    block.end(table.indexes[slot] as number, OutcomeCode.deadline, 'no answer in time', core.nowMs)
    if (this.#cancels < CANCELS_MAX) {
      this.#cancels += 1
      core.reset(slot, ErrorCode.cancel)
      return
    }
    const detail = known ?? newDetail(undefined, 0)
    detail.abandoned = true
    detail.bodyParts = []
    table.details.set(id, detail)
    table.blocks[slot] = undefined
  }
}

function expectLength(isRight: boolean, streamId: number, name: string): void {
  if (isRight) return
  if (streamId === 0) throw protocolError(ErrorCode.protocolError, `${name} on stream 0`)
  throw protocolError(ErrorCode.frameSizeError, `${name} of a wrong length`)
}
