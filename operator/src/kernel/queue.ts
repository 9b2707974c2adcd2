import { strict as assert } from 'node:assert'
import { type BackoffOptions, backoffMs } from './backoff.ts'
import type { KernelMetrics } from './metrics.ts'
import { PermanentError, type Reconciled, TemporaryError } from './outcome.ts'
import type { Scheduler, Timer } from './scheduler.ts'

/** How a work queue works. */
export interface QueueOptions {
  /** Name of the controller, for metrics. */
  readonly name: string
  /** Does the work of one key. What it throws decides about the next try: see TemporaryError and PermanentError. */
  readonly handle: (key: string) => Promise<Reconciled>
  /** Called with everything that `handle` throws, and in how many milliseconds the key is tried again, if at all. */
  readonly onFailure: (key: string, error: unknown, retryMs: number | undefined) => void
  /** Keys worked on at the same time. */
  readonly concurrency: number
  /** Waits after failures in a row of one key. */
  readonly backoff: BackoffOptions
  /** Keys known at once, waiting or delayed; more are refused and counted. */
  readonly keysMax: number
  readonly scheduler: Scheduler
  readonly metrics: KernelMetrics
}

/**
 * Keys to be worked on. A key is in it once; while it is being worked on, adding it makes it run once more afterwards,
 * never twice at the same time. A key that starts forgets its delayed turn: the work decides anew about the next.
 */
export interface WorkQueue {
  /** Makes a key due now. */
  add(key: string): void
  /** Makes a key due after that long, unless it is due earlier anyway. */
  addAfter(key: string, delayMs: number): void
  /** Starts no more work and resolves when what runs has ended; true when that was within the deadline. */
  drain(deadlineMs: number): Promise<boolean>
  /** Keys that wait for a worker. */
  readonly waiting: number
}

/** Largest delay: a day. The periodic resync of a cache comes earlier than anything that waits longer. */
export const delayMsMax = 24 * 3_600_000

interface Delayed {
  readonly dueMs: number
  readonly timer: Timer
}

/** Creates a queue that works as soon as keys come. */
export function createQueue(options: QueueOptions): WorkQueue {
  assert(options.concurrency >= 1, 'a queue needs a worker')
  return new KeyedQueue(options)
}

class KeyedQueue implements WorkQueue {
  readonly #options: QueueOptions
  /** Keys that are due, oldest first, with the moment that they became so. */
  readonly #due = new Map<string, number>()
  readonly #delayed = new Map<string, Delayed>()
  readonly #running = new Set<string>()
  /** Keys that were added while they ran. */
  readonly #again = new Set<string>()
  /** Failures in a row; only of keys that failed last. */
  readonly #failures = new Map<string, number>()
  #isDraining = false
  #onIdle: (() => void) | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#due.size
  }

  add(key: string): void {
    if (this.#isDraining) return
    if (this.#running.has(key)) {
      this.#again.add(key)
      return
    }
    if (this.#due.has(key)) return
    if (!this.#delayed.has(key) && this.#isFull()) return
    this.#forgetDelay(key)
    this.#due.set(key, this.#options.scheduler.nowMs())
    this.#work()
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#isDraining || this.#due.has(key)) return
    const { scheduler } = this.#options
    const clampedMs = Math.min(Math.max(delayMs, 0), delayMsMax)
    const dueMs = scheduler.nowMs() + clampedMs
    const known = this.#delayed.get(key)
    if (known !== undefined && known.dueMs <= dueMs) return
    if (known === undefined && !this.#running.has(key) && this.#isFull()) return
    this.#forgetDelay(key)
    const timer = scheduler.after(clampedMs, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { dueMs, timer })
  }

  async drain(deadlineMs: number): Promise<boolean> {
    this.#isDraining = true
    for (const key of this.#delayed.keys()) this.#forgetDelay(key)
    this.#due.clear()
    this.#again.clear()
    this.#show()
    if (this.#running.size === 0) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#onIdle = () => resolve(true)
    using _timer = this.#options.scheduler.after(deadlineMs, () => resolve(false))
    return await promise
  }

  #isFull(): boolean {
    if (this.#due.size + this.#delayed.size < this.#options.keysMax) return false
    this.#options.metrics.queueDropped.inc({ controller: this.#options.name })
    return true
  }

  #forgetDelay(key: string): void {
    this.#delayed.get(key)?.timer[Symbol.dispose]()
    this.#delayed.delete(key)
  }

  #work(): void {
    const { concurrency, scheduler, metrics, name } = this.#options
    while (this.#running.size < concurrency) {
      const [first] = this.#due
      if (first === undefined) break
      const [key, dueMs] = first
      this.#due.delete(key)
      this.#running.add(key)
      this.#forgetDelay(key)
      metrics.queueSeconds.observe({ controller: name }, (scheduler.nowMs() - dueMs) / 1000)
      void this.#run(key)
    }
    this.#show()
  }

  async #run(key: string): Promise<void> {
    try {
      const { requeueAfterMs } = await this.#options.handle(key)
      this.#failures.delete(key)
      if (requeueAfterMs !== undefined) this.addAfter(key, requeueAfterMs)
    } catch (error) {
      this.#fail(key, error)
    } finally {
      this.#running.delete(key)
      if (this.#again.delete(key)) this.add(key)
      this.#work()
      if (this.#running.size === 0) this.#onIdle?.()
    }
  }

  #fail(key: string, error: unknown): void {
    const retryMs = this.#retryMs(key, error)
    this.#options.onFailure(key, error, retryMs)
    if (retryMs === undefined) return
    this.#options.metrics.retries.inc({ controller: this.#options.name })
    this.addAfter(key, retryMs)
  }

  #retryMs(key: string, error: unknown): number | undefined {
    if (error instanceof PermanentError) {
      this.#failures.delete(key)
      return undefined
    }
    if (error instanceof TemporaryError) return error.delayMs
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    return backoffMs(this.#options.backoff, failures, this.#options.scheduler.random())
  }

  #show(): void {
    this.#options.metrics.queueKeys.set({ controller: this.#options.name }, this.#due.size)
  }
}
