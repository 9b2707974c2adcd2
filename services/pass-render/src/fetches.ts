import { type Clock, type Database, type Logger, type OutboxMessage, type Relay, writeOutbox } from '@stampede/platform'
import type { PassFetches } from '@stampede/proto/events/v1'
import type { Secrets } from './domain/secrets.ts'
import { fetchesEvent } from './events.ts'
import type { Meters } from './metrics.ts'
import { onlyDevices } from './store/phone-reads.ts'

/** How long fetches are gathered, in milliseconds. */
const GATHER_MS = 250
/** Fetches in one event at most. */
const MAX_FETCHES_PER_EVENT = 5_000
/** Fetches in memory at most, while the database is away; the oldest are then given up and counted in the log. */
const MAX_GATHERED = 200_000
/** Attempts to write what is left at a stop. */
const MAX_STOP_ATTEMPTS = 5
const STOP_RETRY_MS = 500

const nobody = Buffer.alloc(0)
const noDevices: ReadonlyMap<bigint, string> = new Map()
/** Within how many seconds after a change a woken phone shall have fetched it: the service's objective. */
const OBJECTIVE_SECONDS = 60

/** A pass that a phone took. */
export interface Fetch {
  readonly brand: string
  readonly no: bigint
  /** Devices registered for the pass. */
  readonly devices: number
  /** Campaign that it showed; empty when none. */
  readonly campaignId: string
  /** The shown version, as one number. */
  readonly version: bigint
  /** When the shown version was made. */
  readonly changedAt: Date
  /** When the ledger recorded what made the shown version (a purchase, mostly); undefined when something else did. */
  readonly causedAt: Date | undefined
  /** When the push about it was handed to the lanes; undefined when none was. */
  readonly pushedAt: Date | undefined
  /** Who fetched; undefined when the connection did not tell. */
  readonly deviceLibraryId: string | undefined
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
  readonly meters: Meters
  readonly secrets: Secrets
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
    const atMs = this.#parts.clock.nowMs()
    this.#gathered.push({ ...fetch, atMs })
    if (fetch.pushedAt !== undefined) this.#measure(fetch, atMs)
    if (this.#gathered.length > MAX_GATHERED) {
      const lost = this.#gathered.splice(0, MAX_FETCHES_PER_EVENT).length
      this.#parts.logger.error({ lost }, 'fetches given up: the database has been away for too long')
    }
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS)
  }

  /** A phone that lost an answer and fetches again counts again: it is rare, and late both times if it is late. */
  #measure({ brand, changedAt, causedAt }: Fetch, atMs: number): void {
    const seconds = secondsBetween(changedAt, atMs)
    this.#parts.meters.fetchSeconds.observe({ brand }, seconds)
    if (causedAt !== undefined) this.#parts.meters.tillSeconds.observe({ brand }, secondsBetween(causedAt, atMs))
    this.#parts.meters.fetches.inc({ brand, within: seconds <= OBJECTIVE_SECONDS ? 'objective' : 'later' })
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
        const events: OutboxMessage[] = []
        for (const [brand, fetches] of byBrand(taken)) {
          events.push(fetchesEvent(brand, columns(fetches, await this.#digests(brand, fetches)), now))
        }
        await this.#parts.database.transaction((tx) => writeOutbox(tx, events))
        this.#parts.relay.wake()
      } catch (error) {
        this.#gathered.unshift(...taken)
        throw error
      }
    }
  }

  /**
   * Digests of the devices; empty where it is not known who fetched. Where the connection did not tell, a pass with a
   * single registration can only have been fetched by that phone; with several, or none, it stays unknown.
   */
  async #digests(brand: string, fetches: readonly Gathered[]): Promise<readonly Buffer[]> {
    const { database, secrets } = this.#parts
    const unknown = fetches.filter((fetch) => fetch.deviceLibraryId === undefined && fetch.devices === 1)
    const only =
      unknown.length === 0 ? noDevices : await onlyDevices(database, brand, [...new Set(unknown.map(({ no }) => no))])
    return fetches.map((fetch) => {
      const device = fetch.deviceLibraryId ?? only.get(fetch.no)
      return device === undefined ? nobody : secrets.deviceDigest(brand, device)
    })
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

/** Clocks of two machines may differ. */
function secondsBetween(from: Date, toMs: number): number {
  return Math.max(0, toMs - from.getTime()) / 1_000
}

function byBrand(fetches: readonly Gathered[]): ReadonlyMap<string, Gathered[]> {
  return Map.groupBy(fetches, (fetch) => fetch.brand)
}

function columns(fetches: readonly Gathered[], device: readonly Buffer[]): PassFetches {
  return {
    no: fetches.map((fetch) => fetch.no),
    campaignId: fetches.map((fetch) => fetch.campaignId),
    fetchedAtMs: fetches.map((fetch) => BigInt(fetch.atMs)),
    changedAtMs: fetches.map((fetch) => BigInt(fetch.changedAt.getTime())),
    device: [...device],
    version: fetches.map((fetch) => fetch.version),
    pushedAtMs: fetches.map((fetch) => BigInt(fetch.pushedAt?.getTime() ?? 0)),
  }
}
