import { availableParallelism } from 'node:os'
import type { Meters } from './metrics.ts'

/** Passes that may wait for a signature; more would wait longer than a phone does. */
export const MAX_QUEUED_PASSES = 2_000
/** Signatures under way at once: the thread pool's four threads, and one batch to follow. */
const MAX_SIGNING = Math.max(4, availableParallelism() * 2)
/** Signed passes kept, to answer a phone's HEAD, its second device and its retry. */
const MAX_CACHED_PASSES = 500
/** Bytes of them at most. */
const MAX_CACHED_BYTES = 32 * 1024 * 1024
/** A pass leaves the cache after so long, in milliseconds: an erased member's soon is nowhere. */
const CACHE_LIFE_MS = 60_000

/** Thrown when the queue is full: the phone shall come again later. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError'
}

interface Cached {
  readonly bytes: Buffer
  readonly untilMs: number
}

/** A built pass and whether it may be kept. */
export interface Built {
  readonly bytes: Buffer
  readonly cacheable: boolean
}

/** Signs each pass version once at a time, a bounded number at once, and keeps the newest for a minute. */
export class SignQueue {
  readonly #meters: Meters
  readonly #flights = new Map<string, Promise<Buffer>>()
  readonly #waiting: (() => void)[] = []
  readonly #cache = new Map<string, Cached>()
  #cachedBytes = 0
  #signing = 0

  constructor(meters: Meters) {
    this.#meters = meters
  }

  /** The bytes under the key: kept ones, those being made, or new ones. Throws OverloadedError. */
  async get(key: string, build: () => Promise<Built>): Promise<Buffer> {
    const cached = this.#cached(key)
    if (cached !== undefined) {
      this.#meters.passes.inc({ cache: 'hit' })
      return cached
    }
    const flying = this.#flights.get(key)
    if (flying !== undefined) {
      this.#meters.passes.inc({ cache: 'joined' })
      return await flying
    }
    if (this.#waiting.length >= MAX_QUEUED_PASSES) {
      this.#meters.overloads.inc()
      throw new OverloadedError('too many passes wait for a signature')
    }
    this.#meters.passes.inc({ cache: 'miss' })
    const flight = this.#run(key, build)
    this.#flights.set(key, flight)
    try {
      return await flight
    } finally {
      this.#flights.delete(key)
    }
  }

  async #run(key: string, build: () => Promise<Built>): Promise<Buffer> {
    const done = this.#meters.signSeconds.startTimer()
    await this.#enter()
    try {
      const built = await build()
      if (built.cacheable) this.#keep(key, built.bytes)
      return built.bytes
    } finally {
      this.#leave()
      done()
    }
  }

  async #enter(): Promise<void> {
    if (this.#signing < MAX_SIGNING) {
      this.#signing++
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    this.#meters.signQueue.set(this.#waiting.length)
    await promise
  }

  #leave(): void {
    const next = this.#waiting.shift()
    this.#meters.signQueue.set(this.#waiting.length)
    // The place goes from hand to hand: nobody can slip in between.
    if (next === undefined) this.#signing--
    else next()
  }

  #cached(key: string): Buffer | undefined {
    const entry = this.#cache.get(key)
    if (entry === undefined) return undefined
    if (entry.untilMs < Date.now()) {
      this.#forget(key, entry)
      return undefined
    }
    return entry.bytes
  }

  #keep(key: string, bytes: Buffer): void {
    this.#cache.set(key, { bytes, untilMs: Date.now() + CACHE_LIFE_MS })
    this.#cachedBytes += bytes.length
    for (const [oldest, entry] of this.#cache) {
      const fits = this.#cache.size <= MAX_CACHED_PASSES && this.#cachedBytes <= MAX_CACHED_BYTES
      if (fits && entry.untilMs > Date.now()) break
      this.#forget(oldest, entry)
    }
  }

  #forget(key: string, entry: Cached): void {
    this.#cache.delete(key)
    this.#cachedBytes -= entry.bytes.length
  }
}
