import { headerBytesMax } from '../hpack/encoder.ts'
import { ErrorCode, Flag, FRAME_HEADER_BYTES, FrameType } from '../protocol/constants.ts'
import { writeFrameHeader } from '../protocol/frames.ts'
import type { RequestBlock } from '../request/block.ts'
import { OutcomeCode } from '../request/outcome.ts'
import type { SingleRequest } from '../request/single.ts'
import { listBytesOf } from '../request/template.ts'
import type { SessionCore } from './core.ts'
import { type Stamp, Stamps } from './stamps.ts'
import { newDetail, nothing, type StreamDetail } from './stream-detail.ts'
import { WRITE_BUFFER_BYTES, type WriteBuffers } from './write-buffers.ts'

/** Write buffers that one connection may have on their way: more would only pile up before the socket. */
const BUFFERS_ON_WAY_MAX = 4
/** Bytes that may wait before the socket when more of a body is written: the rest waits in its request. */
const BACKLOG_BYTES_MAX = 1_048_576
/** A refill waits until so many streams are free, unless the limit or the queue is small: few large writes win. */
const REFILL_STREAMS = 256

/** Two hexadecimal digits of each byte, as 16 bits. */
const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  const digits = Buffer.from(byte.toString(16).padStart(2, '0'), 'latin1')
  return digits.readUInt16BE(0)
})

/** The writing half of a session: opens streams as far as every limit allows. */
export class Sender {
  readonly #core: SessionCore
  readonly #stamps: Stamps
  readonly #buffers: WriteBuffers
  #onWay = 0
  readonly #waitingBodies = new Set<number>()

  constructor(core: SessionCore, buffers: WriteBuffers) {
    this.#core = core
    this.#buffers = buffers
    this.#stamps = new Stamps(core.encoder)
  }

  /** Streams that may be opened now. */
  get free(): number {
    const { peer, options, succeeded, table } = this.#core
    const limit = options.probeFirst && !succeeded ? 1 : Math.min(peer.maxConcurrentStreams, options.streamsMax)
    return Math.min(Math.max(0, limit - table.live), table.idsLeft)
  }

  /** A write buffer is the sender's again. */
  released(): void {
    this.#onWay -= 1
  }

  /** Writes what may be written; `late`: also if it is little. */
  fill(late: boolean): void {
    const { source } = this.#core.host
    this.writeBodies()
    while (this.free > 0) {
      const single = source.single()
      if (single === undefined) break
      this.#openSingle(single)
    }
    const { free } = this
    const { unsent } = source
    if (free === 0 || unsent === 0) return
    const { live } = this.#core.table
    const enough = Math.min(REFILL_STREAMS, (live + free) / 4)
    if (!late && live > 0 && free < enough && unsent > free) {
      this.#core.host.scheduleLateFill()
      return
    }
    this.#openBlocks(Math.min(free, source.share))
  }

  #openBlocks(streams: number): void {
    const core = this.#core
    let left = streams
    while (left > 0 && this.#onWay < BUFFERS_ON_WAY_MAX) {
      const block = core.host.source.block()
      if (block === undefined) return
      const { template } = block
      if (template.listBytes + block.variableBytes * 2 > core.peer.headerListBytesMax) {
        block.endUnsent(OutcomeCode.notProcessed, 'the peer takes no header list of this size')
        continue
      }
      const bodyBytes = template.body.length
      if (bodyBytes > core.peer.initialWindowBytes) {
        this.#openWithoutBody(block)
        left -= 1
        continue
      }
      const affordable = bodyBytes === 0 ? left : Math.min(left, Math.floor(core.sendWindowBytes / bodyBytes))
      // A WINDOW_UPDATE brings us here again.
      if (affordable <= 0) return
      left -= this.#openMany(block, affordable)
    }
  }

  /** Stamps requests into one buffer; returns how many. */
  #openMany(block: RequestBlock, most: number): number {
    const core = this.#core
    const { stamp, once } = this.#stamps.next(block.template, block.variableBytes)
    const { bytes } = stamp
    const count = once ? 1 : Math.min(most, block.unsent, Math.floor(WRITE_BUFFER_BYTES / bytes.length))
    const buffer = this.#buffers.take(bytes)
    if (buffer.stamp !== bytes) {
      buffer.stamp = bytes
      buffer.stamped = 0
    }
    for (; buffer.stamped < count; buffer.stamped += 1) buffer.bytes.set(bytes, buffer.stamped * bytes.length)
    const nowMs = core.host.now()
    const { view } = buffer
    for (let number = 0, at = 0; number < count; number += 1, at += bytes.length) {
      const index = block.next()
      patch(view, at, stamp, core.table.open(block, index, nowMs), block, index)
    }
    core.sendWindowBytes -= count * block.template.body.length
    this.#onWay += 1
    core.host.write(buffer.bytes.subarray(0, count * bytes.length), buffer)
    return count
  }

  /** The peer's window is smaller than the body: the headers go now, the body when it may. */
  #openWithoutBody(block: RequestBlock): void {
    const core = this.#core
    const { stamp } = this.#stamps.next(block.template, block.variableBytes)
    const index = block.next()
    const id = core.table.open(block, index, core.host.now())
    const bytes = Buffer.from(stamp.bytes)
    patch(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, stamp, id, block, index)
    core.host.write(bytes.subarray(0, stamp.dataIdAt - 5))
    const detail = newDetail(undefined, core.peer.initialWindowBytes)
    core.table.details.set(id, detail)
    this.#startBody(id, detail, block.template.body)
  }

  #openSingle(single: SingleRequest): void {
    const core = this.#core
    const { head, body, sensitive } = single
    const { method, authority, path } = head
    const headers = [
      [':method', method],
      [':scheme', 'https'],
      [':authority', authority],
      [':path', path],
      ...head.headers,
    ] as const
    if (listBytesOf(head) > core.peer.headerListBytesMax) {
      single.settle({ kind: 'not-processed', cause: 'the peer takes no header list of this size' })
      return
    }
    const bound = headers.reduce((sum, [name, value]) => sum + headerBytesMax(name, value), 64)
    const out = new Uint8Array(FRAME_HEADER_BYTES + bound)
    const id = core.table.open(undefined, 0, core.host.now())
    let at = core.encoder.begin(out, FRAME_HEADER_BYTES)
    for (const [name, value] of headers)
      at = core.encoder.header(out, at, name, value, sensitive.has(name) ? 'never' : 'literal')
    const flags = Flag.endHeaders | (body.length === 0 ? Flag.endStream : 0)
    writeFrameHeader(out, 0, at - FRAME_HEADER_BYTES, FrameType.headers, flags, id)
    core.host.write(out.subarray(0, at))
    const detail = newDetail(single, core.peer.initialWindowBytes)
    core.table.details.set(id, detail)
    single.reset = () => {
      const slot = core.table.slotOf(id)
      if (slot < 0) return
      core.reset(slot, ErrorCode.cancel)
      core.host.scheduleFill()
    }
    if (body.length > 0) this.#startBody(id, detail, body)
  }

  #startBody(id: number, detail: StreamDetail, body: Uint8Array): void {
    detail.unsentBody = body
    detail.requestEnded = false
    this.#waitingBodies.add(id)
    this.writeBodies()
  }

  /** Writes what the windows allow of bodies that did not fit at once. */
  writeBodies(): void {
    for (const id of this.#waitingBodies) {
      const detail = this.#core.table.details.get(id)
      if (detail === undefined || detail.requestEnded) this.#waitingBodies.delete(id)
      else this.#writeBody(id, detail)
    }
  }

  #writeBody(id: number, detail: StreamDetail): void {
    const core = this.#core
    while (detail.unsentBody.length > 0) {
      const window = Math.min(core.sendWindowBytes, detail.sendWindowBytes)
      const bytes = Math.min(window, core.peer.frameBytesMax, WRITE_BUFFER_BYTES, detail.unsentBody.length)
      // A WINDOW_UPDATE or the socket brings us here again.
      if (bytes <= 0 || core.host.backlogBytes > BACKLOG_BYTES_MAX) return
      const part = detail.unsentBody.subarray(0, bytes)
      detail.unsentBody = detail.unsentBody.subarray(bytes)
      const isLast = detail.unsentBody.length === 0
      const out = new Uint8Array(FRAME_HEADER_BYTES + bytes)
      out.set(part, writeFrameHeader(out, 0, bytes, FrameType.data, isLast ? Flag.endStream : 0, id))
      core.sendWindowBytes -= bytes
      detail.sendWindowBytes -= bytes
      core.host.write(out)
    }
    detail.unsentBody = nothing
    detail.requestEnded = true
    this.#waitingBodies.delete(id)
  }
}

/** Writes what differs: both stream ids and the varying part. */
function patch(view: DataView, at: number, stamp: Stamp, id: number, block: RequestBlock, index: number): void {
  view.setUint32(at + stamp.headersIdAt, id)
  if (stamp.dataIdAt !== 0) view.setUint32(at + stamp.dataIdAt, id)
  const { variables, variableBytes } = block
  const from = index * variableBytes
  let to = at + stamp.variableAt
  for (let byte = from; byte < from + variableBytes; byte += 1, to += 2)
    view.setUint16(to, hexPairs[variables[byte] as number] as number)
}
