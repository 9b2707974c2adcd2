import { HpackEncoder, headerBytesMax, type IndexMode } from '../hpack/encoder.ts'
import type { Random } from '../hpack/testing/random.ts'
import { DEFAULT_FRAME_BYTES, Flag, FrameType } from '../protocol/constants.ts'
import type { Header } from '../request/outcome.ts'
import type { ClientJudge } from './client-judge.ts'
import { frame, resetFrame, withPadding } from './frame-writer.ts'
import type { Answer } from './random-answer.ts'

/** An answer under way. */
export interface OpenAnswer {
  readonly id: number
  readonly path: string
  readonly answer: Answer
  /** Interim responses that were sent. */
  interimSent: number
  headersSent: boolean
  /** Bytes of the body that were sent. */
  bodySent: number
}

const modes: readonly IndexMode[] = ['index', 'index', 'index', 'literal', 'never']
/** Fragments of one header block at most. */
const FRAGMENTS_MAX = 6

/** Writes answers one frame at a time in any framing that RFC 9113 allows. */
export class AnswerWriter {
  readonly #random: Random
  readonly #judge: ClientJudge
  readonly #write: (bytes: Buffer) => void
  readonly #encoder = new HpackEncoder()

  constructor(random: Random, judge: ClientJudge, write: (bytes: Buffer) => void) {
    this.#random = random
    this.#judge = judge
    this.#write = write
  }

  /** Writes the next piece, if the windows allow one: `done` when it was the last, `blocked` when there was none. */
  advance(open: OpenAnswer): 'more' | 'done' | 'blocked' {
    const { id, answer } = open
    const interim = answer.interim[open.interimSent]
    if (interim !== undefined) {
      open.interimSent += 1
      this.#writeHeaders(id, interim, false)
      return 'more'
    }
    const isLast = answer.body.length === 0 && answer.trailers.length === 0 && !this.#random.once(16)
    if (!open.headersSent) {
      open.headersSent = true
      this.#writeHeaders(id, [[':status', String(answer.status)], ...answer.headers], isLast)
      return this.#ended(open, isLast)
    }
    if (open.bodySent < answer.body.length) return this.#writeBody(open)
    if (answer.trailers.length > 0) this.#writeHeaders(id, answer.trailers, true)
    else this.#writeData(id, answer.body.subarray(0, 0), 0, true)
    return this.#ended(open, true)
  }

  /** The client's largest table for header blocks, or less, is used from the next block on. */
  resizeTable(): void {
    const { tableBytesMax } = this.#judge
    this.#encoder.setPeerTableBytesMax(this.#random.once(3) ? tableBytesMax : this.#random.below(tableBytesMax + 1))
  }

  #writeBody(open: OpenAnswer): 'more' | 'done' | 'blocked' {
    const random = this.#random
    const { id, answer } = open
    const paddingBytes = random.once(4) ? 1 + random.below(255) : 0
    const windowBytes = this.#judge.streams.sendableBytes(id)
    const most = Math.min(windowBytes, DEFAULT_FRAME_BYTES) - paddingBytes - 1
    const left = answer.body.length - open.bodySent
    if (most <= 0) return 'blocked'
    const wanted = random.once(10) ? 0 : random.once(3) ? random.below(left) + 1 : left
    const bytes = Math.min(wanted, most)
    const isLast = bytes === left && answer.trailers.length === 0 && !random.once(4)
    this.#writeData(id, answer.body.subarray(open.bodySent, open.bodySent + bytes), paddingBytes, isLast)
    open.bodySent += bytes
    return this.#ended(open, isLast)
  }

  #writeData(id: number, body: Buffer, paddingBytes: number, endStream: boolean): void {
    const payload = paddingBytes > 0 ? withPadding(body, paddingBytes - 1) : body
    const flags = (endStream ? Flag.endStream : 0) | (paddingBytes > 0 ? Flag.padded : 0)
    this.#write(frame(FrameType.data, flags, id, payload))
    this.#judge.streams.dataSent(id, payload.length)
  }

  /** After END_STREAM: a server that needs no more of the request may say so (RFC 9113 section 8.1). */
  #ended({ id }: OpenAnswer, isLast: boolean): 'more' | 'done' {
    if (!isLast) return 'more'
    const { streams } = this.#judge
    streams.answered(id)
    if (streams.has(id) && this.#random.once(2)) {
      this.#write(resetFrame(id, 0))
      streams.reset(id)
    }
    return 'done'
  }

  #writeHeaders(id: number, headers: readonly Header[], endStream: boolean): void {
    const random = this.#random
    if (random.once(60)) this.resizeTable()
    const block = Buffer.alloc(headers.reduce((sum, [name, value]) => sum + headerBytesMax(name, value), 16))
    let at = this.#encoder.begin(block, 0)
    for (const [name, value] of headers) at = this.#encoder.header(block, at, name, value, random.of(modes))
    const fragments = this.#fragments(block.subarray(0, at))
    fragments.forEach((fragment, index) => {
      const isLast = index === fragments.length - 1
      const endHeaders = isLast ? Flag.endHeaders : 0
      if (index > 0) {
        this.#write(frame(FrameType.continuation, endHeaders, id, fragment))
        return
      }
      const priority = random.once(10) ? Buffer.from([0, 0, 0, 0, random.below(256)]) : Buffer.alloc(0)
      const padded = random.once(6) ? Flag.padded : 0
      const flags = endHeaders | padded | (endStream ? Flag.endStream : 0) | (priority.length > 0 ? Flag.priority : 0)
      const payload = Buffer.concat([priority, fragment])
      this.#write(frame(FrameType.headers, flags, id, padded === 0 ? payload : withPadding(payload, random.below(256))))
    })
  }

  /** A block in one piece or several, empty ones among them. */
  #fragments(block: Buffer): readonly Buffer[] {
    const random = this.#random
    if (!random.once(6) && block.length < DEFAULT_FRAME_BYTES - 300) return [block]
    const cuts = Array.from({ length: 1 + random.below(FRAGMENTS_MAX - 1) }, () => random.below(block.length + 1))
    const bounds = [0, ...cuts.toSorted((a, b) => a - b), block.length]
    return bounds.slice(1).map((end, index) => block.subarray(bounds[index], end))
  }
}
