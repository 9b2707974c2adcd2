import { availableParallelism } from 'node:os'
import type { Capacity } from './capacity.ts'
import type { Meters } from './metrics.ts'

/** Passes that may wait for a signature, whatever the capacity. */
export const MAX_QUEUED_PASSES = 2_000
/** Fewer may wait only where no capacity was measured yet. */
const MIN_QUEUED_PASSES = 64
/** How long the last of the queue may have to wait, in seconds: the queue is as long as the capacity allows for that. */
export const MAX_WAIT_SECONDS = 1.5
/**
 * Passes of a round: they are rendered one after the other, signed by the thread pool, and answered one after the other.
 * Handled one by one, each would find the caches of its core filled by signatures, which makes it far dearer.
 */
export const MAX_ROUND = Math.max(64, availableParallelism() * 16)
/** Rounds under way: one is signed while the next is rendered. */
export const MAX_ROUNDS = 2
/** Signed passes kept, to answer a phone's HEAD, its second device and its retry. */
const MAX_CACHED_PASSES = 2_000
/** Bytes of them at most; the images, which all passes of a design share, are not counted. */
const MAX_CACHED_BYTES = 32 * 1024 * 1024
/** A pass leaves the cache after so long, in milliseconds: an erased member's soon is nowhere. */
const CACHE_LIFE_MS = 60_000

/** Thrown when the queue is full: the phone shall come again later. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError'
}

/** Thrown when everybody who waited for a pass has hung up before its turn came. */
export class UnwantedError extends Error {
  override readonly name = 'UnwantedError'
}

/** A signed pass as it is sent: pieces one after the other, of which the first is shared by all passes of a design. */
export type PassBytes = readonly Uint8Array[]

/** A built pass and whether it may be kept. */
export interface Built {
  readonly bytes: PassBytes
  readonly cacheable: boolean
}

/** What a pass is wanted for. */
export interface Wish {
  /** Names the version. */
  readonly key: string
  /** Makes it; the queue decides when. */
  readonly build: () => Promise<Built>
  /** Whether somebody still waits for it. */
  readonly isWanted: () => boolean
}

interface Cached {
  readonly bytes: PassBytes
  readonly ownBytes: number
  readonly untilMs: number
}

interface Flight extends Wish {
  readonly result: PromiseWithResolvers<PassBytes>
  readonly wanted: (() => boolean)[]
  readonly startedAtMs: number
}

/** Signs each pass version once at a time, a bounded number at once, and keeps the newest for a minute. */
export class SignQueue {
  readonly #meters: Meters
  readonly #capacity: Pick<Capacity, 'perSecond' | 'signed'>
  readonly #flights = new Map<string, Flight>()
  #waiting: Flight[] = []
  /** How many at the head of `waiting` had their turn: an array is not shifted for each. */
  #served = 0
  readonly #cache = new Map<string, Cached>()
  #cachedBytes = 0
  #rounds = 0
  #isPlanned = false

  /** The capacity bounds the queue, and is told what was done. */
  constructor(meters: Meters, capacity: Pick<Capacity, 'perSecond' | 'signed'>) {
    this.#meters = meters
    this.#capacity = capacity
  }

  /** Passes that wait. */
  get length(): number {
    return this.#waiting.length - this.#served
  }

  /** Passes that may wait now. */
  get limit(): number {
    const inTime = Math.floor(this.#capacity.perSecond * MAX_WAIT_SECONDS)
    return Math.min(MAX_QUEUED_PASSES, Math.max(MIN_QUEUED_PASSES, inTime))
  }

  /** The bytes wished for: kept ones, those being made, or new ones. Throws OverloadedError and UnwantedError. */
  async get(wish: Wish): Promise<PassBytes> {
    const cached = this.#cached(wish.key)
    if (cached !== undefined) {
      this.#meters.passes.inc({ cache: 'hit' })
      return cached
    }
    const flying = this.#flights.get(wish.key)
    if (flying !== undefined) {
      this.#meters.passes.inc({ cache: 'joined' })
      flying.wanted.push(wish.isWanted)
      return await flying.result.promise
    }
    if (this.length >= this.limit) throw new OverloadedError('too many passes wait for a signature')
    this.#meters.passes.inc({ cache: 'miss' })
    const flight: Flight = {
      ...wish,
      result: Promise.withResolvers<PassBytes>(),
      wanted: [wish.isWanted],
      startedAtMs: performance.now(),
    }
    this.#flights.set(wish.key, flight)
    this.#waiting.push(flight)
    this.#plan()
    return await flight.result.promise
  }

  #plan(): void {
    if (this.#isPlanned || this.#rounds >= MAX_ROUNDS) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      while (this.length > 0 && this.#rounds < MAX_ROUNDS) void this.#round(this.#take())
    })
  }

  #take(): readonly Flight[] {
    const taken = this.#waiting.slice(this.#served, this.#served + MAX_ROUND)
    this.#served += taken.length
    if (this.#served * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#served)
      this.#served = 0
    }
    return taken
  }

  /** Never rejects: each flight has an outcome of its own. */
  async #round(flights: readonly Flight[]): Promise<void> {
    this.#rounds++
    const outcomes = await Promise.allSettled(flights.map((flight) => this.#build(flight)))
    this.#rounds--
    this.#plan()
    for (const [index, flight] of flights.entries()) {
      const outcome = outcomes[index] as PromiseSettledResult<PassBytes>
      this.#flights.delete(flight.key)
      if (outcome.status === 'fulfilled') flight.result.resolve(outcome.value)
      else flight.result.reject(outcome.reason)
      this.#meters.signSeconds.observe((performance.now() - flight.startedAtMs) / 1_000)
    }
  }

  async #build({ key, build, wanted }: Flight): Promise<PassBytes> {
    if (!wanted.some((isWanted) => isWanted())) throw new UnwantedError('nobody waits for the pass any more')
    const built = await build()
    this.#capacity.signed()
    if (built.cacheable) this.#keep(key, built.bytes)
    return built.bytes
  }

  #cached(key: string): PassBytes | undefined {
    const entry = this.#cache.get(key)
    if (entry === undefined) return undefined
    if (entry.untilMs < Date.now()) {
      this.#forget(key, entry)
      return undefined
    }
    return entry.bytes
  }

  #keep(key: string, bytes: PassBytes): void {
    const ownBytes = bytes.slice(1).reduce((sum, part) => sum + part.length, 0)
    this.#cache.set(key, { bytes, ownBytes, untilMs: Date.now() + CACHE_LIFE_MS })
    this.#cachedBytes += ownBytes
    for (const [oldest, entry] of this.#cache) {
      const fits = this.#cache.size <= MAX_CACHED_PASSES && this.#cachedBytes <= MAX_CACHED_BYTES
      if (fits && entry.untilMs > Date.now()) break
      this.#forget(oldest, entry)
    }
  }

  #forget(key: string, entry: Cached): void {
    this.#cache.delete(key)
    this.#cachedBytes -= entry.ownBytes
  }
}
