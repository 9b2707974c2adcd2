import {
  CLIENT_PREFACE,
  copyBytes,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  Flag,
  type FrameHandler,
  FrameReader,
  FrameType,
  H2PushError,
  HpackDecoder,
  HpackError,
  ping,
  protocolError,
  readUint32,
  rstStream,
  WINDOW_BYTES_MAX,
  windowUpdate,
  withoutPadding,
} from '@stampede/h2push/codec'
import { Answers } from './answers.ts'
import { goaway, serverSettings, streamLimitSettings } from './frames.ts'
import { Outbox } from './outbox.ts'
import { openStream, type PushStream } from './push-stream.ts'
import { HEADER_LIST_BYTES_MAX, RequestReader } from './request-reader.ts'
import { Streams } from './streams.ts'

/** Table for the headers of requests, bytes: the protocol's default, which APNs announces as well. */
const HEADER_TABLE_BYTES = 4_096
/** Longest header block, bytes, over all its CONTINUATIONs. */
const HEADER_BLOCK_BYTES_MAX = 65_536
/** CONTINUATIONs of one block. */
const CONTINUATIONS_MAX = 64
/** A window is given back when half of it is used. A frame is smaller than the rest, so that nobody can pass it. */
const RETURNED_BYTES = DEFAULT_WINDOW_BYTES >>> 1

/** What a session needs of its connection. */
export interface SessionHost {
  write(bytes: Uint8Array): void
  /** A request began. */
  onOpen(): void
  /** All of a request came: `answer` it, now or later. */
  onPush(stream: PushStream): void
  /** Nothing more will be written, and nothing more that comes is read. */
  onEnd(): void
}

/** A header block that goes on in CONTINUATIONs. */
interface OpenBlock {
  readonly id: number
  readonly endStream: boolean
  readonly parts: Uint8Array[]
  bytes: number
}

/** The server's half of an HTTP/2 connection (RFC 9113) without a socket: bytes in, bytes out, requests to the host. */
export class Session implements FrameHandler {
  readonly #host: SessionHost
  readonly #outbox: Outbox
  readonly #frames = new FrameReader(this)
  readonly #decoder = new HpackDecoder({ tableBytesMax: HEADER_TABLE_BYTES })
  readonly #reader = new RequestReader(this.#decoder)
  readonly #streams = new Streams()
  readonly #answers: Answers
  #streamLimit: number
  /** Bytes of the client's preface that came. */
  #prefaceBytes = 0
  #sawSettings = false
  /** One of both sides told the other to go: the last answer ends the connection. */
  #isLeaving = false
  #isEnded = false
  #open: OpenBlock | undefined
  #unreturnedBytes = 0

  /** Sends SETTINGS at once. */
  constructor(host: SessionHost, streamLimit: number) {
    this.#host = host
    this.#streamLimit = streamLimit
    this.#outbox = new Outbox((bytes) => host.write(bytes))
    this.#answers = new Answers(this.#outbox)
    this.#outbox.append(serverSettings(HEADER_TABLE_BYTES, streamLimit, HEADER_LIST_BYTES_MAX))
  }

  /** Takes bytes of the client. */
  receive(bytes: Uint8Array): void {
    if (this.#isEnded) return
    try {
      const rest = this.#takePreface(bytes)
      this.#frames.read(rest, rest.length)
    } catch (error) {
      this.#fail(error)
    }
    this.#endIfDone()
  }

  /** Changes how many streams the client may have; those that come before it knows are refused, no more. */
  announce(streamLimit: number): void {
    if (this.#isEnded) return
    this.#streamLimit = streamLimit
    this.#outbox.append(streamLimitSettings(streamLimit))
  }

  /** Answers a request, unless its stream is over. `apnsId` has 36 characters. */
  answer(stream: PushStream, status: number, apnsId: string, body: Uint8Array): void {
    if (stream.over) return
    this.#answers.send(stream, status, apnsId, body)
    if (!stream.over) return
    this.#streams.remove(stream)
    this.#endIfDone()
  }

  /** Takes no more requests, tells the client so, and ends when those taken are answered. */
  leave(debug: string): void {
    if (this.#streams.isClosed || this.#isEnded) return
    this.#streams.close()
    this.#isLeaving = true
    this.#outbox.append(goaway(this.#streams.lastTakenId, ErrorCode.noError, debug))
    this.#endIfDone()
  }

  /** The connection is gone. */
  drop(): void {
    this.#isEnded = true
    this.#streams.clear()
  }

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#open !== undefined && type !== FrameType.continuation)
      throw protocolError(ErrorCode.protocolError, 'a header block is interrupted')
    if (!this.#sawSettings && (type !== FrameType.settings || (flags & Flag.ack) !== 0))
      throw protocolError(ErrorCode.protocolError, 'the first frame is not SETTINGS')
    this.#sawSettings = true
    switch (type) {
      case FrameType.data:
        this.#onData(flags, id, bytes, start, end)
        return
      case FrameType.headers:
        this.#onHeaders(flags, id, bytes, start, end)
        return
      case FrameType.continuation:
        this.#onContinuation(flags, id, bytes, start, end)
        return
      case FrameType.rstStream:
        this.#onReset(id, end - start)
        return
      default:
        this.#onControl(type, flags, id, bytes, start, end)
    }
  }

  #onControl(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    const isConnection = type === FrameType.settings || type === FrameType.ping || type === FrameType.goaway
    if (isConnection && id !== 0) throw protocolError(ErrorCode.protocolError, `frame of type ${type} on a stream`)
    switch (type) {
      case FrameType.settings:
        this.#onSettings(flags, bytes, start, end)
        return
      case FrameType.ping:
        expectLength(end - start === 8, 'PING')
        if ((flags & Flag.ack) === 0) this.#outbox.append(ping(copyBytes(bytes, start, end), true))
        return
      case FrameType.windowUpdate:
        expectLength(end - start === 4, 'WINDOW_UPDATE')
        this.#onWindowUpdate(id, readUint32(bytes, start) & WINDOW_BYTES_MAX)
        return
      case FrameType.goaway:
        expectLength(end - start >= 8, 'GOAWAY')
        this.#isLeaving = true
        return
      case FrameType.priority:
        // Deprecated, and of no use here (RFC 9113 section 5.3.2).
        if (id === 0) throw protocolError(ErrorCode.protocolError, 'PRIORITY on stream 0')
        expectLength(end - start === 5, 'PRIORITY')
        return
      case FrameType.pushPromise:
        throw protocolError(ErrorCode.protocolError, 'PUSH_PROMISE of a client')
    }
  }

  #onHeaders(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    let { start, end } = withoutPadding(flags, bytes, from, to)
    if ((flags & Flag.priority) !== 0) start += 5
    if (start > end) throw protocolError(ErrorCode.frameSizeError, 'HEADERS shorter than its priority')
    const endStream = (flags & Flag.endStream) !== 0
    if ((flags & Flag.endHeaders) !== 0) this.#onBlock(id, endStream, bytes, start, end)
    else this.#open = { id, endStream, parts: [copyBytes(bytes, start, end)], bytes: end - start }
  }

  #onContinuation(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    const open = this.#open
    if (open === undefined || open.id !== id) throw protocolError(ErrorCode.protocolError, 'CONTINUATION out of place')
    open.parts.push(copyBytes(bytes, start, end))
    open.bytes += end - start
    if (open.bytes > HEADER_BLOCK_BYTES_MAX || open.parts.length > CONTINUATIONS_MAX)
      throw protocolError(ErrorCode.enhanceYourCalm, 'a header block without an end')
    if ((flags & Flag.endHeaders) === 0) return
    this.#open = undefined
    this.#onBlock(id, open.endStream, Buffer.concat(open.parts), 0, open.bytes)
  }

  #onBlock(id: number, endStream: boolean, block: Uint8Array, start: number, end: number): void {
    const streams = this.#streams
    const reader = this.#reader
    const isOpening = streams.isOpening(id)
    reader.start(!isOpening)
    this.#decoder.decode(block, start, end, reader)
    if (!isOpening) {
      this.#onTrailers(id, endStream)
      return
    }
    if (streams.isClosed) return
    if (streams.size >= this.#streamLimit) {
      this.#refuse(id, ErrorCode.refusedStream, endStream)
      return
    }
    reader.checkComplete()
    const contentLength = reader.contentLength()
    const isTooLong = reader.listBytes > HEADER_LIST_BYTES_MAX
    if (reader.fault !== '' || isTooLong) {
      this.#refuse(id, isTooLong ? ErrorCode.enhanceYourCalm : ErrorCode.protocolError, endStream)
      return
    }
    const stream = openStream(id, reader.headers(), contentLength, this.#answers.streamWindowBytes)
    streams.add(stream)
    this.#host.onOpen()
    if (endStream) this.#complete(stream)
  }

  #onTrailers(id: number, endStream: boolean): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) {
      this.#streams.takeStray(id, endStream, 'HEADERS')
      return
    }
    if (stream.received) throw protocolError(ErrorCode.streamClosed, `HEADERS on half-closed stream ${id}`)
    if (!endStream || this.#reader.fault !== '') this.#reset(stream, ErrorCode.protocolError, endStream)
    else this.#complete(stream)
  }

  #onData(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id === 0) throw protocolError(ErrorCode.protocolError, 'DATA on stream 0')
    const { start, end } = withoutPadding(flags, bytes, from, to)
    const endStream = (flags & Flag.endStream) !== 0
    this.#unreturnedBytes += to - from
    if (this.#unreturnedBytes >= RETURNED_BYTES) {
      this.#outbox.append(windowUpdate(0, this.#unreturnedBytes))
      this.#unreturnedBytes = 0
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) {
      this.#streams.takeStray(id, endStream, 'DATA')
      return
    }
    if (stream.received) throw protocolError(ErrorCode.streamClosed, `DATA on half-closed stream ${id}`)
    const { payload } = stream
    for (let at = start; at < end && payload.bytes + at - start < 2; at += 1)
      payload.start = (payload.start << 8) | (bytes[at] as number)
    payload.bytes += end - start
    stream.unreturnedBytes += to - from
    if (endStream) this.#complete(stream)
    else if (stream.unreturnedBytes >= RETURNED_BYTES) {
      this.#outbox.append(windowUpdate(id, stream.unreturnedBytes))
      stream.unreturnedBytes = 0
    }
  }

  #complete(stream: PushStream): void {
    const { contentLength, payload } = stream
    if (contentLength >= 0 && contentLength !== payload.bytes) {
      this.#reset(stream, ErrorCode.protocolError, true)
      return
    }
    stream.received = true
    this.#host.onPush(stream)
  }

  #onReset(id: number, bytes: number): void {
    this.#streams.checkIdle(id, 'RST_STREAM')
    expectLength(bytes === 4, 'RST_STREAM')
    const stream = this.#streams.get(id)
    if (stream !== undefined) this.#end(stream)
  }

  #onSettings(flags: number, bytes: Uint8Array, start: number, end: number): void {
    if ((flags & Flag.ack) !== 0) {
      expectLength(start === end, 'SETTINGS with ACK')
      return
    }
    this.#answers.onSettings(bytes, start, end, this.#streams.live)
    this.#sendBlocked()
  }

  #onWindowUpdate(id: number, bytes: number): void {
    if (id === 0) {
      if (bytes === 0) throw protocolError(ErrorCode.protocolError, 'WINDOW_UPDATE of 0')
      this.#answers.widen(bytes)
      this.#sendBlocked()
      return
    }
    this.#streams.checkIdle(id, 'WINDOW_UPDATE')
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    stream.sendWindowBytes += bytes
    if (bytes === 0) this.#reset(stream, ErrorCode.protocolError, stream.received)
    else if (stream.sendWindowBytes > WINDOW_BYTES_MAX) this.#reset(stream, ErrorCode.flowControlError, stream.received)
    else this.#sendBlocked()
  }

  #sendBlocked(): void {
    for (const stream of this.#answers.sendBlocked()) this.#streams.remove(stream)
  }

  /** `isEnded`: the client sends nothing more on the stream. */
  #reset(stream: PushStream, code: number, isEnded: boolean): void {
    this.#refuse(stream.id, code, isEnded)
    this.#end(stream)
  }

  #refuse(id: number, code: number, isEnded: boolean): void {
    this.#outbox.append(rstStream(id, code))
    if (!isEnded) this.#streams.expectStrays(id)
  }

  #end(stream: PushStream): void {
    this.#streams.remove(stream)
    this.#answers.forget(stream)
  }

  /** Returns what follows the preface (RFC 9113 section 3.4). */
  #takePreface(bytes: Uint8Array): Uint8Array {
    let at = 0
    for (; this.#prefaceBytes < CLIENT_PREFACE.length && at < bytes.length; at += 1) {
      if (bytes[at] !== CLIENT_PREFACE[this.#prefaceBytes])
        throw protocolError(ErrorCode.protocolError, 'a wrong preface')
      this.#prefaceBytes += 1
    }
    return at === 0 ? bytes : bytes.subarray(at)
  }

  /** The client broke the protocol. */
  #fail(error: unknown): void {
    const isHpack = error instanceof HpackError
    if (!isHpack && !(error instanceof H2PushError)) throw error
    const code = isHpack ? ErrorCode.compressionError : error.h2Code
    this.#outbox.append(goaway(this.#streams.lastTakenId, code, error.message))
    this.#endAll()
  }

  #endIfDone(): void {
    if (this.#isLeaving && this.#streams.size === 0 && !this.#isEnded) this.#endAll()
  }

  #endAll(): void {
    this.drop()
    this.#outbox.flush()
    this.#host.onEnd()
  }
}

function expectLength(isRight: boolean, name: string): void {
  if (!isRight) throw protocolError(ErrorCode.frameSizeError, `${name} of a wrong length`)
}
