import type { RequestBlock } from '../request/block.ts'
import type { SingleRequest } from '../request/single.ts'
import type { WriteBuffer } from './write-buffers.ts'

/** Where a session gets its requests from. */
export interface WorkSource {
  /** Requests in blocks that wait. */
  readonly unsent: number
  /** How many of them one connection should take, so that all have their part. */
  readonly share: number
  /** The block to go on with; undefined when none waits. */
  block(): RequestBlock | undefined
  /** Takes the next single request; undefined when none waits. */
  single(): SingleRequest | undefined
  /** A block has requests again that were certainly not processed. */
  giveBack(block: RequestBlock): void
  /** A single request was certainly not processed. */
  giveBackSingle(single: SingleRequest): void
}

/** What a session needs of its connection. */
export interface SessionHost {
  readonly source: WorkSource
  /** Bytes that wait before the socket. */
  readonly backlogBytes: number
  /** Milliseconds of the wall clock. */
  now(): number
  /** Writes; a buffer is the connection's until it calls `Session.released`. */
  write(bytes: Uint8Array, buffer?: WriteBuffer): void
  /** Calls `Session.fill` once, at the end of this turn of the loop. */
  scheduleFill(): void
  /** Calls `Session.fill` within a few milliseconds. */
  scheduleLateFill(): void
  /** The peer's first SETTINGS came: requests may go. */
  onReady(): void
  /** The peer will take no further streams. `reason` is that of its JSON debug data, else its text. */
  onGoaway(code: number, reason: string): void
  /** The peer asks for fewer requests (ENHANCE_YOUR_CALM). */
  onCalm(): void
  /** A PING was answered. */
  onPong(): void
  /** Takes no new streams and has none left: the connection may end. */
  onDrained(): void
}
