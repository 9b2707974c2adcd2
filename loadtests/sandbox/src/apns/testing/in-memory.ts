import {
  CLIENT_PREFACE,
  FRAME_HEADER_BYTES,
  type FrameHandler,
  FrameReader,
  FrameType,
  HpackDecoder,
  HpackEncoder,
  headerBytesMax,
  readUint32,
  Setting,
  writeFrameHeader,
  writeUint32,
} from '@stampede/h2push/codec'
import type { PushStream } from '../push-stream.ts'
import { Session, type SessionHost } from '../session.ts'

/** A header: name and value. */
export type Header = readonly [name: string, value: string]

/** A setting and its value. */
export type SettingEntry = readonly [id: number, value: number]

/** A frame that the server wrote. */
export interface ServerFrame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: Buffer
}

/** The headers of a push to the token `ab`. */
export const pushHeaders: readonly Header[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/3/device/ab'],
  ['apns-topic', 'pass.com.demo'],
]

/** A frame as it stands, legal or not. */
export function frame(type: number, flags: number, id: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const out = Buffer.alloc(FRAME_HEADER_BYTES + bytes.length)
  out.set(bytes, writeFrameHeader(out, 0, bytes.length, type, flags, id))
  return out
}

/** SETTINGS of a client. */
export function settings(...entries: readonly SettingEntry[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6)
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6)
    payload.writeUInt32BE(value, index * 6 + 2)
  })
  return frame(FrameType.settings, 0, 0, payload)
}

/** 32 bits, most significant byte first. */
export function uint32(value: number): Buffer {
  const out = Buffer.alloc(4)
  writeUint32(out, 0, value)
  return out
}

/** A session of the server with a client that writes what it likes, without sockets. */
export class InMemory implements SessionHost, FrameHandler {
  readonly session: Session
  /** Requests that came completely. */
  readonly pushes: PushStream[] = []
  /** What the server wrote. */
  readonly frames: ServerFrame[] = []
  opened = 0
  ended = false
  readonly #encoder = new HpackEncoder()
  readonly #decoder = new HpackDecoder({ tableBytesMax: 4_096 })
  readonly #reader = new FrameReader(this)

  constructor(streamLimit = 1000) {
    this.session = new Session(this, streamLimit)
  }

  /** Sends the preface and SETTINGS. */
  start(...entries: readonly SettingEntry[]): this {
    this.send(CLIENT_PREFACE, settings(...entries))
    return this
  }

  /** Sends bytes, each part by a read of its own. */
  send(...parts: readonly Uint8Array[]): void {
    for (const part of parts) this.session.receive(part)
  }

  /** A header block of the client's. */
  block(headers: readonly Header[]): Buffer {
    const out = Buffer.alloc(headers.reduce((sum, [name, value]) => sum + headerBytesMax(name, value), 16))
    let at = this.#encoder.begin(out, 0)
    for (const [name, value] of headers) at = this.#encoder.header(out, at, name, value, 'index')
    return out.subarray(0, at)
  }

  /** HEADERS that need no CONTINUATION, and DATA unless the body is undefined. */
  request(id: number, body: string | undefined = '{}', headers: readonly Header[] = pushHeaders): Buffer {
    const head = frame(FrameType.headers, 4 | (body === undefined ? 1 : 0), id, this.block(headers))
    return body === undefined ? head : Buffer.concat([head, frame(FrameType.data, 1, id, body)])
  }

  /** Frames of a type that the server wrote so far. */
  async wrote(type: number): Promise<readonly ServerFrame[]> {
    // What is written within a turn leaves after it.
    await new Promise((resolve) => setImmediate(resolve))
    return this.frames.filter((one) => one.type === type)
  }

  /** Streams that the server reset, each with the code. */
  async resets(): Promise<readonly (readonly [id: number, code: number])[]> {
    return (await this.wrote(FrameType.rstStream)).map(({ id, payload }) => [id, payload.readUInt32BE()] as const)
  }

  /** Last stream, code and debug data of every GOAWAY. */
  async goaways(): Promise<readonly (readonly [lastId: number, code: number, debug: string])[]> {
    return (await this.wrote(FrameType.goaway)).map(
      ({ payload }) => [payload.readUInt32BE(), payload.readUInt32BE(4), payload.toString('utf8', 8)] as const,
    )
  }

  /** Changes the client's header table, twice in one SETTINGS. */
  resizeTable(lowestBytes: number, bytes: number): void {
    this.send(settings([Setting.headerTableSize, lowestBytes], [Setting.headerTableSize, bytes]))
    this.#decoder.setTableBytesMax(lowestBytes)
    this.#decoder.setTableBytesMax(bytes)
  }

  /** Headers of a HEADERS frame; every one must be decoded, in their order. */
  decode({ payload }: ServerFrame): readonly Header[] {
    const headers: Header[] = []
    this.#decoder.decode(payload, 0, payload.length, {
      onHeader: (_id, name, nameStart, nameEnd, value, start, end) =>
        headers.push([latin1(name, nameStart, nameEnd), latin1(value, start, end)]),
    })
    return headers
  }

  write(bytes: Uint8Array): void {
    this.#reader.read(bytes, bytes.length)
  }

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    this.frames.push({ type, flags, id, payload: Buffer.from(bytes.subarray(start, end)) })
  }

  onOpen(): void {
    this.opened += 1
  }

  onPush(stream: PushStream): void {
    this.pushes.push(stream)
  }

  onEnd(): void {
    this.ended = true
  }
}

/** The number in a frame of four bytes. */
export function numberOf({ payload }: ServerFrame): number {
  return readUint32(payload, 0)
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1')
}
