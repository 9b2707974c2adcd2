import { H2PushError } from '../errors.ts'
import type { RequestBlock, UnsentCounter } from '../request/block.ts'
import { OutcomeCode } from '../request/outcome.ts'
import type { SingleRequest } from '../request/single.ts'
import type { WorkSource } from '../session/host.ts'
import { Fifo } from './fifo.ts'

/** Blocks that wait at most. */
const BLOCKS_MAX = 100_000
/** Fewer requests than this are not shared out: one write of one connection carries them. */
const SHARE_MIN = 64
/** Single requests that wait before those are looked for whose caller waits no more. */
const PRUNE_MIN = 1_024

/** The queue of a pool, first come first served; single requests go before blocks. */
export class WorkQueue implements WorkSource {
  readonly #queuedMax: number
  readonly #counter: UnsentCounter = { unsent: 0 }
  readonly #blocks = new Fifo<RequestBlock>()
  readonly #singles = new Fifo<SingleRequest>()
  #pruneAt = PRUNE_MIN
  #waiters: (() => void)[] = []
  /** Connections that take requests now; the pool keeps it. */
  readyConnections = 0
  /** Nothing is given out before this instant, Unix milliseconds; the pool keeps it. */
  pausedUntilMs = 0
  /** Called when something is there again that no connection was told of. */
  onReturned: () => void = () => undefined

  constructor(queuedMax: number) {
    this.#queuedMax = queuedMax
  }

  get unsent(): number {
    return this.#counter.unsent
  }

  /** Requests that wait, single ones included. */
  get queued(): number {
    return this.#counter.unsent + this.#singles.length
  }

  /** Requests that may still be submitted. */
  get room(): number {
    return this.#blocks.length >= BLOCKS_MAX ? 0 : Math.max(0, this.#queuedMax - this.queued)
  }

  get share(): number {
    return Math.max(SHARE_MIN, Math.ceil(this.unsent / Math.max(1, this.readyConnections)))
  }

  /** Resolves when half of the queue is free. */
  async whenRoom(): Promise<void> {
    if (this.#hasRoom()) return
    await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  /** Throws H2PushError `queue_full`. */
  addBlock(block: RequestBlock): void {
    if (block.counter !== undefined) throw new H2PushError('invalid', 'block: it was submitted before')
    if (block.size > this.room) throw new H2PushError('queue_full', `${this.queued} requests wait already`)
    block.counter = this.#counter
    this.#counter.unsent += block.unsent
    block.queued = true
    this.#blocks.push(block)
  }

  /** Makes a single request and queues it. Throws H2PushError `queue_full`, before it is made. */
  addSingle(make: () => SingleRequest): SingleRequest {
    if (this.#singles.length >= this.#pruneAt || this.room < 1) this.#prune()
    if (this.room < 1) throw new H2PushError('queue_full', `${this.queued} requests wait already`)
    const single = make()
    if (!single.settled) this.#singles.push(single)
    return single
  }

  block(): RequestBlock | undefined {
    if (this.pausedUntilMs > 0 && Date.now() < this.pausedUntilMs) return undefined
    for (;;) {
      const block = this.#blocks.peek()
      if (block === undefined) return undefined
      if (block.deadlineAtMs <= Date.now()) block.endUnsent(OutcomeCode.deadline, 'not sent in time')
      if (block.unsent > 0) return block
      block.queued = false
      this.#blocks.shift()
      this.#wakeWaiters()
    }
  }

  single(): SingleRequest | undefined {
    if (this.pausedUntilMs > 0 && Date.now() < this.pausedUntilMs) return undefined
    for (;;) {
      const single = this.#singles.shift()
      if (single === undefined || !single.settled) return single
    }
  }

  giveBack(block: RequestBlock): void {
    if (!block.queued) {
      block.queued = true
      // What waited longest goes first.
      this.#blocks.unshift(block)
    }
    this.onReturned()
  }

  giveBackSingle(single: SingleRequest): void {
    this.#singles.unshift(single)
    this.onReturned()
  }

  /** Ends what waited too long, and lets submitters go on. */
  sweep(nowMs: number): void {
    while (this.#singles.peek()?.settled === true) this.#singles.shift()
    for (const block of this.#blocks)
      if (block.deadlineAtMs <= nowMs) block.endUnsent(OutcomeCode.deadline, 'not sent in time')
    this.#wakeWaiters()
  }

  /** Ends all that waits as not processed. */
  end(cause: string): void {
    for (const block of this.#blocks) block.endUnsent(OutcomeCode.notProcessed, cause)
    for (const single of this.#singles) single.settle({ kind: 'not-processed', cause })
    this.#wakeWaiters()
  }

  /** Drops those that timed out or were cancelled: with no connection, nobody else takes them. */
  #prune(): void {
    this.#singles.retain(({ settled }) => !settled)
    this.#pruneAt = Math.max(PRUNE_MIN, this.#singles.length * 2)
  }

  #hasRoom(): boolean {
    return this.queued * 2 <= this.#queuedMax
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0 || !this.#hasRoom()) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
