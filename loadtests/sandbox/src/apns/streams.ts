import { ErrorCode, protocolError } from '@stampede/h2push/codec'
import type { PushStream } from './push-stream.ts'

/** Streams that were reset here and whose late frames are ignored; older ones are forgotten. */
const RESET_IDS_MAX = 100_000

/** The streams of one connection, which only the client opens: their ids are odd and grow (RFC 9113 section 5.1.1). */
export class Streams {
  readonly #live = new Map<number, PushStream>()
  readonly #resetIds = new Set<number>()
  #lastId = 0
  #lastTakenId = 0
  #isClosed = false

  /** Streams without a complete answer. */
  get size(): number {
    return this.#live.size
  }

  /** The last stream that was taken. */
  get lastTakenId(): number {
    return this.#lastTakenId
  }

  /** Whether no more are taken. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** All of them. */
  get live(): Iterable<PushStream> {
    return this.#live.values()
  }

  /** A live stream. */
  get(id: number): PushStream | undefined {
    return this.#live.get(id)
  }

  /** Whether HEADERS with this id open a stream; throws H2PushError `protocol` when they may not come at all. */
  isOpening(id: number): boolean {
    if ((id & 1) === 0) throw protocolError(ErrorCode.protocolError, `HEADERS on stream ${id}`)
    if (id <= this.#lastId) return false
    this.#lastId = id
    return true
  }

  /** Takes a stream. */
  add(stream: PushStream): void {
    this.#live.set(stream.id, stream)
    this.#lastTakenId = stream.id
  }

  /** Takes no more: what comes on later ones is ignored. */
  close(): void {
    this.#isClosed = true
  }

  /** A live stream ended. */
  remove(stream: PushStream): void {
    stream.over = true
    this.#live.delete(stream.id)
  }

  /** All of them ended. */
  clear(): void {
    for (const stream of this.#live.values()) stream.over = true
    this.#live.clear()
  }

  /** A stream was reset here before the client ended it: what it has on its way is no fault. */
  expectStrays(id: number): void {
    this.#resetIds.add(id)
    if (this.#resetIds.size <= RESET_IDS_MAX) return
    for (const oldest of this.#resetIds) {
      this.#resetIds.delete(oldest)
      break
    }
  }

  /** A frame of a stream that is not live; throws H2PushError `protocol` when it may not come. */
  takeStray(id: number, endStream: boolean, name: string): void {
    this.checkIdle(id, name)
    if (this.#isClosed && id > this.#lastTakenId) return
    if (!this.#resetIds.has(id)) throw protocolError(ErrorCode.streamClosed, `${name} on closed stream ${id}`)
    if (endStream) this.#resetIds.delete(id)
  }

  /** Throws H2PushError `protocol` when a stream was never opened. */
  checkIdle(id: number, name: string): void {
    if ((id & 1) === 0 || id > this.#lastId)
      throw protocolError(ErrorCode.protocolError, `${name} on idle stream ${id}`)
  }
}
