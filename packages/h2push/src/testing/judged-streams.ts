import { crc32 } from 'node:zlib'
import { DEFAULT_WINDOW_BYTES, WINDOW_BYTES_MAX } from '../protocol/constants.ts'
import type { Header } from '../request/outcome.ts'

/** A window below this may stop the client soon. */
const STARVED_BYTES = 32_768

/** A request as the server sees it. */
export interface JudgedRequest {
  readonly id: number
  readonly headers: readonly Header[]
  readonly path: string
  /** Bytes of its body so far. */
  bodyBytes: number
  /** CRC-32 of them. */
  bodySum: number
  /** All of it came. */
  ended: boolean
}

interface OpenStream {
  readonly request: JudgedRequest
  /** Bytes that the client may still send. */
  receiveWindowBytes: number
  /** Bytes that we may still send. */
  sendWindowBytes: number
  /** We sent END_STREAM. */
  answered: boolean
}

/** The server's half of all streams of a connection, with both directions of flow control. */
export class JudgedStreams {
  readonly #violation: (what: string) => void
  readonly #open = new Map<number, OpenStream>()
  /** Streams that we reset: what the client had on its way for them is no fault. */
  readonly #resetByUs = new Set<number>()
  #lastId = 0
  #receiveWindowBytes = DEFAULT_WINDOW_BYTES
  #sendWindowBytes = DEFAULT_WINDOW_BYTES
  /** What the client allows for the body of each response. */
  clientWindowBytes = DEFAULT_WINDOW_BYTES

  constructor(violation: (what: string) => void) {
    this.#violation = violation
  }

  /** Highest stream that the client opened. */
  get lastId(): number {
    return this.#lastId
  }

  /** Streams that are open. */
  get ids(): readonly number[] {
    return [...this.#open.keys()]
  }

  /** Those of which the client has more to send than it may for long. */
  get starvedIds(): readonly number[] {
    const streams = [...this.#open.values()]
    return streams
      .filter(({ request, receiveWindowBytes }) => !request.ended && receiveWindowBytes < STARVED_BYTES)
      .map(({ request }) => request.id)
  }

  /** One of them; undefined when there is none. */
  get someId(): number | undefined {
    return this.#open.keys().next().value
  }

  /** Bytes that the client may still send on the connection. */
  get receiveWindowBytes(): number {
    return this.#receiveWindowBytes
  }

  /** Whether a stream is open. */
  has(id: number): boolean {
    return this.#open.has(id)
  }

  /** Bytes of a body that we may send on a stream now. */
  sendableBytes(id: number): number {
    return Math.max(0, Math.min(this.#sendWindowBytes, this.#open.get(id)?.sendWindowBytes ?? 0))
  }

  /** The client opens a stream. */
  open(id: number, headers: readonly Header[], windowBytes: number, most: number): JudgedRequest | undefined {
    if (id % 2 === 0 || id <= this.#lastId) {
      this.#violation(`HEADERS on stream ${id} after stream ${this.#lastId}`)
      return undefined
    }
    this.#lastId = id
    const path = headers.find(([name]) => name === ':path')?.[1] ?? ''
    const request = { id, headers, path, bodyBytes: 0, bodySum: 0, ended: false }
    const sendWindowBytes = this.clientWindowBytes
    this.#open.set(id, { request, receiveWindowBytes: windowBytes, sendWindowBytes, answered: false })
    if (this.#open.size > most) this.#violation(`${this.#open.size} streams of ${most}`)
    return request
  }

  /** The client sent DATA: the request, unless nobody waits for it any more. */
  dataFromClient(id: number, frameBytes: number, body: Buffer, endStream: boolean): JudgedRequest | undefined {
    this.#receiveWindowBytes -= frameBytes
    if (this.#receiveWindowBytes < 0 && frameBytes > 0) this.#violation('DATA beyond the window of the connection')
    const stream = this.#open.get(id)
    if (stream === undefined || stream.request.ended) {
      if (!this.#resetByUs.has(id)) this.#violation(`DATA on stream ${id}, which is not open`)
      return undefined
    }
    stream.receiveWindowBytes -= frameBytes
    if (stream.receiveWindowBytes < 0 && frameBytes > 0) this.#violation(`DATA beyond the window of stream ${id}`)
    const { request } = stream
    request.bodyBytes += body.length
    request.bodySum = crc32(body, request.bodySum)
    request.ended = endStream
    this.#closeIfDone(stream)
    return request
  }

  /** The client reset a stream; false when it was no fault but is of no interest. */
  resetByClient(id: number): boolean {
    if (id === 0 || id % 2 === 0 || id > this.#lastId) this.#violation(`RST_STREAM on stream ${id}, which is idle`)
    return this.#open.delete(id)
  }

  /** The client lets us send more. */
  grantedByClient(id: number, bytes: number): void {
    if (bytes === 0 || bytes > WINDOW_BYTES_MAX) this.#violation(`WINDOW_UPDATE of ${bytes}`)
    if (id === 0) {
      this.#sendWindowBytes += bytes
      if (this.#sendWindowBytes > WINDOW_BYTES_MAX) this.#violation('the window of the connection overflows')
      return
    }
    if (id % 2 === 0 || id > this.#lastId) this.#violation(`WINDOW_UPDATE on stream ${id}, which is idle`)
    const stream = this.#open.get(id)
    if (stream === undefined) return
    stream.sendWindowBytes += bytes
    if (stream.sendWindowBytes > WINDOW_BYTES_MAX) this.#violation(`the window of stream ${id} overflows`)
  }

  /** The client acknowledged another INITIAL_WINDOW_SIZE. */
  widen(bytes: number): void {
    if (bytes !== 0) for (const stream of this.#open.values()) stream.receiveWindowBytes += bytes
  }

  /** We let the client send more. */
  granted(id: number, bytes: number): void {
    if (id === 0) this.#receiveWindowBytes += bytes
    const stream = this.#open.get(id)
    if (stream !== undefined) stream.receiveWindowBytes += bytes
  }

  /** We sent DATA. */
  dataSent(id: number, frameBytes: number): void {
    this.#sendWindowBytes -= frameBytes
    const stream = this.#open.get(id)
    if (stream !== undefined) stream.sendWindowBytes -= frameBytes
  }

  /** We sent END_STREAM. */
  answered(id: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return
    stream.answered = true
    this.#closeIfDone(stream)
  }

  /** We sent RST_STREAM. */
  reset(id: number): void {
    if (this.#open.delete(id)) this.#resetByUs.add(id)
  }

  #closeIfDone({ request, answered }: OpenStream): void {
    if (answered && request.ended) this.#open.delete(request.id)
  }
}
