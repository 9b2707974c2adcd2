import { type Clock, type Database, type Logger, type Relay, writeOutbox } from '@stampede/platform'
import type { PassFetches } from '@stampede/proto/events/v1'
import { fetchesEvent } from './events.ts'

/** How long fetches are gathered, in milliseconds. */
const GATHER_MS = 250
/** Fetches in one event at most. */
const MAX_FETCHES_PER_EVENT = 5_000
/** Fetches in memory at most, while the database is away; the oldest are then given up and counted in the log. */
const MAX_GATHERED = 200_000
/** Attempts to write what is left at a stop. */
const MAX_STOP_ATTEMPTS = 5
const STOP_RETRY_MS = 500

/** A pass that a phone took. */
export interface Fetch {
  readonly brand: string
  readonly no: bigint
  /** Campaign that it showed; empty when none. */
  readonly campaignId: string
  /** When the shown version was made. */
  readonly changedAt: Date
}

interface Gathered extends Fetch {
  readonly atMs: number
}

/** Parts of the service that fetches need. */
export interface FetchesParts {
  readonly database: Database
  readonly relay: Relay
  readonly clock: Clock
  readonly logger: Logger
}

/** Gathers fetches and writes them to the outbox a few times a second; disposing writes the rest. */
export class Fetches {
  readonly #parts: FetchesParts
  #gathered: Gathered[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(parts: FetchesParts) {
    this.#parts = parts
  }

  /** Notes a fetch. */
  add(fetch: Fetch): void {
    this.#gathered.push({ ...fetch, atMs: this.#parts.clock.nowMs() })
    if (this.#gathered.length > MAX_GATHERED) {
      const lost = this.#gathered.splice(0, MAX_FETCHES_PER_EVENT).length
      this.#parts.logger.error({ lost }, 'fetches given up: the database has been away for too long')
    }
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS)
  }

  #flush(): void {
    this.#timer = undefined
    this.#writing = this.#writing
      .then(() => this.#write())
      .catch((error: unknown) => {
        this.#parts.logger.warn({ err: error }, 'fetches cannot be written, trying again')
        this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS)
      })
  }

  async #write(): Promise<void> {
    while (this.#gathered.length > 0) {
      const taken = this.#gathered.splice(0, MAX_FETCHES_PER_EVENT)
      try {
        const now = this.#parts.clock.now()
        const events = [...byBrand(taken)].map(([brand, fetches]) => fetchesEvent(brand, columns(fetches), now))
        await this.#parts.database.transaction((tx) => writeOutbox(tx, events))
        this.#parts.relay.wake()
      } catch (error) {
        this.#gathered.unshift(...taken)
        throw error
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await this.#writing
    clearTimeout(this.#timer)
    for (let attempt = 1; this.#gathered.length > 0; attempt++) {
      try {
        await this.#write()
      } catch (error) {
        if (attempt === MAX_STOP_ATTEMPTS) throw error
        const { promise, resolve } = Promise.withResolvers<void>()
        setTimeout(resolve, STOP_RETRY_MS)
        await promise
      }
    }
  }
}

function byBrand(fetches: readonly Gathered[]): ReadonlyMap<string, Gathered[]> {
  return Map.groupBy(fetches, (fetch) => fetch.brand)
}

function columns(fetches: readonly Gathered[]): PassFetches {
  return {
    no: fetches.map((fetch) => fetch.no),
    campaignId: fetches.map((fetch) => fetch.campaignId),
    fetchedAtMs: fetches.map((fetch) => BigInt(fetch.atMs)),
    changedAtMs: fetches.map((fetch) => BigInt(fetch.changedAt.getTime())),
  }
}
