import { defaultLimits } from '../connection/options.ts'
import { H2PushError } from '../errors.ts'
import { WorkQueue } from '../pool/work-queue.ts'
import type { RequestBlock } from '../request/block.ts'
import { type RequestOptions, SingleRequest } from '../request/single.ts'
import type { SessionOptions } from '../session/core.ts'
import type { SessionHost } from '../session/host.ts'
import { Session } from '../session/session.ts'
import { type WriteBuffer, WriteBuffers } from '../session/write-buffers.ts'
import { framesOf, type ReceivedFrame } from './frame-cutter.ts'

/** Requests that may wait in a rig. */
const QUEUED_MAX = 10_000_000
/** Bytes given to the session at once at most, as by a socket. */
const READ_BYTES = 65_536
/** What the read buffer holds after each read: nobody may still look at it. */
const POISON = 0xa5
/** Preface of a client without its SETTINGS. */
const PREFACE_BYTES = 24

/** Shared, as connections of a pool share them. */
const buffers = new WriteBuffers()
const readBuffer = Buffer.alloc(READ_BYTES, POISON)

/** A session without a socket, a clock that stands, and the queue before it: everything happens when a test says so. */
export class SessionRig implements SessionHost {
  readonly source = new WorkQueue(QUEUED_MAX)
  readonly session: Session
  /** What the session told of: `ready`, `goaway CODE REASON`, `calm`, `pong`, `drained`. */
  readonly events: string[] = []
  /** Why the connection ended, if the peer broke the protocol. */
  error: H2PushError | undefined
  /** The session said that the connection may end. */
  drained = false
  backlogBytes = 0
  nowMs = 1_750_000_000_000
  /** Write buffers come back after each fill; else when `release` is called. */
  releasesAtOnce = true
  readonly #held: WriteBuffer[] = []
  #written: Buffer[] = []
  #fillDue = false
  #lateFillDue = false

  /** Starts the session: its preface is written. */
  constructor(options: Partial<SessionOptions> = {}) {
    const { headerTableBytes, streamWindowBytes, headerListBytesMax, streamsMax, bodyBytesMax } = defaultLimits
    const local = { headerTableBytes, streamWindowBytes, headerListBytesMax }
    const complete = { local, streamsMax, bodyBytesMax, probeFirst: false, ...options }
    this.session = new Session(this, complete, buffers)
    this.source.onReturned = () => this.scheduleFill()
    this.session.start()
  }

  /** Queues a block and lets the session write. */
  submit(block: RequestBlock): void {
    this.source.addBlock(block)
    this.scheduleFill()
    this.turn()
  }

  /** Queues a single request and lets the session write. */
  request(options: RequestOptions): SingleRequest {
    const single = this.source.addSingle(() => new SingleRequest(options, 'localhost', 60_000))
    this.scheduleFill()
    this.turn()
    return single
  }

  /** Gives bytes of the peer to the session, and lets it write. A violation ends it, as a connection would. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.error === undefined; at += READ_BYTES)
      this.#receive(bytes.subarray(at, at + READ_BYTES))
    this.turn()
  }

  /** Gives bytes one read at a time, `size` bytes each. */
  feedInParts(bytes: Uint8Array, size: number): void {
    for (let at = 0; at < bytes.length; at += size) this.feed(bytes.subarray(at, at + size))
  }

  /** Runs the refills that are due, until none is. */
  turn(): void {
    while (this.#fillDue || this.#lateFillDue) {
      const isLate = this.#lateFillDue
      this.#fillDue = false
      this.#lateFillDue = false
      this.session.fill(isLate)
      if (this.releasesAtOnce) this.#release()
    }
  }

  /** The socket took all that was written. */
  release(): void {
    this.#release()
    this.turn()
  }

  /** Write buffers that the socket has not taken. */
  get buffersOnWay(): number {
    return this.#held.length
  }

  /** What was written since the last call. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#written)
    this.#written = []
    return bytes
  }

  /** The same as frames; the preface, which comes first, is left out. */
  takeFrames(): ReceivedFrame[] {
    const bytes = this.take()
    return framesOf(bytes.subarray(bytes.toString('latin1', 0, 4) === 'PRI ' ? PREFACE_BYTES : 0))
  }

  /** The connection is gone: what is on the wire is unknown, what waits was not processed. */
  close(): void {
    this.session.abort(0, 'closed')
    this.source.end('closed')
  }

  // What the session needs of its host.

  now(): number {
    return this.nowMs
  }

  write(bytes: Uint8Array, buffer?: WriteBuffer): void {
    // Copied, as the socket does with what it takes: the buffer may be used again.
    this.#written.push(Buffer.from(bytes))
    if (buffer === undefined) return
    if (this.#held.includes(buffer)) throw new Error('a write buffer is used again before the socket took its bytes')
    this.#held.push(buffer)
  }

  scheduleFill(): void {
    this.#fillDue = true
  }

  scheduleLateFill(): void {
    this.#lateFillDue = true
  }

  onReady(): void {
    this.events.push('ready')
  }

  onGoaway(code: number, reason: string): void {
    this.events.push(`goaway ${code} ${reason}`)
  }

  onCalm(): void {
    this.events.push('calm')
  }

  onPong(): void {
    this.events.push('pong')
  }

  onDrained(): void {
    this.drained = true
    this.events.push('drained')
    this.session.abort(0, 'drained')
  }

  #release(): void {
    for (const buffer of this.#held.splice(0)) {
      buffers.put(buffer)
      this.session.released()
    }
  }

  #receive(bytes: Uint8Array): void {
    readBuffer.set(bytes)
    try {
      this.session.receive(readBuffer, bytes.length)
    } catch (error) {
      if (!(error instanceof H2PushError)) throw error
      this.error = error
      this.session.abort(error.h2Code, error.message)
    } finally {
      readBuffer.fill(POISON, 0, bytes.length)
    }
  }
}
