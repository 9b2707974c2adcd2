import { H2PushError } from '../errors.ts'
import { type Columns, keepColumns, takeColumns } from './columns.ts'
import { type Outcome, OutcomeCode, type Response } from './outcome.ts'
import type { RequestTemplate } from './template.ts'

/** Requests of one block at most. */
export const BLOCK_REQUESTS_MAX = 100_000
/** Longest varying part, in bytes before hexadecimal. */
const VARIABLE_BYTES_MAX = 512
/** How often a request that was not processed is sent again before its block tells so. */
const RETURNS_MAX = 16

/** What a block is made of. */
export interface BlockOptions {
  readonly template: RequestTemplate
  /** The varying parts, one after another, raw; they go into the path in lower-case hexadecimal. */
  readonly variables: Uint8Array
  /** Length of each, 1 to 512. */
  readonly variableBytes: number
  /** Unix milliseconds until which requests may be opened; default none. */
  readonly deadlineAtMs?: number
}

/** Requests that wait in all blocks of a pool. */
export interface UnsentCounter {
  unsent: number
}

/**
 * Many requests of one kind, and what became of each, in columns: no object, promise or timer per request. Results
 * of an index are valid once its outcome is not `pending`; `done` resolves when none is. A block that waits holds no
 * columns; one whose results were read may be disposed of, so that the next one gets its memory.
 */
export class RequestBlock implements Disposable {
  readonly template: RequestTemplate
  readonly variables: Uint8Array
  readonly variableBytes: number
  readonly deadlineAtMs: number
  /** Number of requests. */
  readonly size: number
  readonly createdAtMs: number
  /** Resolves when every request has ended. Never rejects. */
  readonly done: Promise<void>
  /** Where its pool counts what waits; undefined before it is submitted. The pool's. */
  counter: UnsentCounter | undefined
  /** Whether it is in the queue of its pool. The pool's. */
  queued = false
  #columns: Columns | undefined
  #disposed = false
  readonly #resolve: () => void
  readonly #responses = new Map<number, Response>()
  readonly #causes = new Map<number, string>()
  readonly #returned: number[] = []
  #returns: Uint8Array | undefined
  #cursor = 0
  #cancelled = false
  #open: number

  /** Throws H2PushError `invalid` naming the field. */
  constructor({ template, variables, variableBytes, deadlineAtMs = Number.POSITIVE_INFINITY }: BlockOptions) {
    if (!Number.isInteger(variableBytes) || variableBytes < 1 || variableBytes > VARIABLE_BYTES_MAX)
      throw new H2PushError('invalid', `variableBytes: 1 to ${VARIABLE_BYTES_MAX}`)
    const size = variables.length / variableBytes
    if (!Number.isInteger(size) || size < 1 || size > BLOCK_REQUESTS_MAX)
      throw new H2PushError('invalid', `variables: 1 to ${BLOCK_REQUESTS_MAX} of ${variableBytes} bytes`)
    this.template = template
    this.variables = variables
    this.variableBytes = variableBytes
    this.deadlineAtMs = deadlineAtMs
    this.size = size
    this.createdAtMs = Date.now()
    this.#open = size
    const { promise, resolve } = Promise.withResolvers<void>()
    this.done = promise
    this.#resolve = resolve
  }

  /** OutcomeCode by request. */
  get outcomes(): Uint8Array {
    return this.#held().outcomes
  }

  /** HTTP status by request; 0 without a response. */
  get statuses(): Uint16Array {
    return this.#held().statuses
  }

  /** When each ended, in milliseconds after `createdAtMs`. */
  get endedAfterMs(): Uint32Array {
    return this.#held().endedAfterMs
  }

  /** Captured header values, `template.captureBytesMax` bytes each, padded with zeros. */
  get captured(): Uint8Array {
    return this.#held().captured
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#open
  }

  /** Requests that wait to be written. */
  get unsent(): number {
    return this.size - this.#cursor + this.#returned.length
  }

  /** The response of a request in full; kept unless it was a plain 200 without a body. */
  response(index: number): Response | undefined {
    return this.#responses.get(index)
  }

  /** Why there is no response; empty when there is one or it is pending. */
  cause(index: number): string {
    return this.#causes.get(index) ?? ''
  }

  /** The captured header of a request, as text; empty when it did not come. */
  capturedText(index: number): string {
    const { captured } = this
    const { captureBytesMax } = this.template
    const start = index * captureBytesMax
    let end = start
    while (end < start + captureBytesMax && captured[end] !== 0) end += 1
    return Buffer.from(captured.buffer, captured.byteOffset + start, end - start).toString('latin1')
  }

  /** Gives the columns to other blocks. Everything must have ended; nothing may be read afterwards, also not by views. */
  [Symbol.dispose](): void {
    if (this.#open > 0) throw new Error(`${this.#open} requests have not ended`)
    this.#disposed = true
    if (this.#columns !== undefined) keepColumns(this.#columns)
    this.#columns = undefined
  }

  /** Ends what is not on the wire yet as cancelled; what is on the wire is awaited. Returns how many were ended. */
  cancel(): number {
    this.#cancelled = true
    return this.endUnsent(OutcomeCode.cancelled, 'cancelled')
  }

  /** Ends what is not on the wire yet. The pool's. */
  endUnsent(outcome: Outcome, cause: string): number {
    const nowMs = Date.now()
    let ended = 0
    for (let index = this.next(); index >= 0; index = this.next()) {
      this.end(index, outcome, cause, nowMs)
      ended += 1
    }
    return ended
  }

  /** Next request to write, or -1. The session's. */
  next(): number {
    const returned = this.#returned.length > 0 ? this.#returned.pop() : undefined
    if (returned === undefined && this.#cursor === this.size) return -1
    if (this.counter !== undefined) this.counter.unsent -= 1
    if (returned !== undefined) return returned
    this.#cursor += 1
    return this.#cursor - 1
  }

  /** A request was certainly not processed: true when it waits again, false when it ended so. The session's. */
  giveBack(index: number, cause: string, nowMs: number): boolean {
    if (this.#cancelled) {
      this.end(index, OutcomeCode.cancelled, 'cancelled', nowMs)
      return false
    }
    this.#returns ??= new Uint8Array(this.size)
    const returns = (this.#returns[index] as number) + 1
    if (returns > RETURNS_MAX) {
      this.end(index, OutcomeCode.notProcessed, cause, nowMs)
      return false
    }
    this.#returns[index] = returns
    this.#returned.push(index)
    if (this.counter !== undefined) this.counter.unsent += 1
    return true
  }

  /** A request was answered. The session's. `response` only where there is more than a plain 200. */
  respond(index: number, status: number, nowMs: number, response: Response | undefined): void {
    this.#held().statuses[index] = status
    if (response !== undefined) this.#responses.set(index, response)
    this.#settle(index, OutcomeCode.response, nowMs)
  }

  /** A request ended without a response. The session's. */
  end(index: number, outcome: Outcome, cause: string, nowMs: number): void {
    this.#causes.set(index, cause)
    this.#settle(index, outcome, nowMs)
  }

  #settle(index: number, outcome: Outcome, nowMs: number): void {
    const { outcomes, endedAfterMs } = this.#held()
    if (outcomes[index] !== OutcomeCode.pending) throw new Error(`request ${index} has an outcome already`)
    outcomes[index] = outcome
    endedAfterMs[index] = Math.max(0, nowMs - this.createdAtMs)
    this.#open -= 1
    if (this.#open === 0) this.#resolve()
  }

  #held(): Columns {
    if (this.#disposed) throw new Error('the block was disposed of')
    this.#columns ??= takeColumns(this.size, this.template.captureBytesMax)
    return this.#columns
  }
}
