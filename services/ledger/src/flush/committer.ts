import { createHash } from 'node:crypto'
import { StampedeError, unavailable } from '@stampede/platform'
import type { Item, ItemResult } from './item.ts'

/** Commands that wait in one lane at most. */
const QUEUED_ITEMS_MAX = 5_000
/** Commands of one transaction at most. */
const FLUSH_ITEMS_MAX = 500
/** Transactions in flight. A member has one lane, so its commands keep their order and lanes never share an account. */
const LANES = 2
/** How often a flush is tried again that met a duplicate key: a neighbour replica posted the same in between. */
const DUPLICATE_ATTEMPTS_MAX = 3

/** What the committer tells about a flush. */
export interface FlushReport {
  readonly items: number
  readonly seconds: number
}

/** Options of a committer. */
export interface CommitterOptions {
  /** Does a batch in one transaction. */
  readonly flush: (items: readonly Item[]) => Promise<readonly ItemResult[]>
  readonly nowMs: () => number
  /** Called after each transaction that was committed. */
  readonly onFlushed: (report: FlushReport) => void
}

interface Waiting {
  readonly item: Item
  readonly resolve: (result: ItemResult) => void
}

interface Lane {
  readonly waiting: Waiting[]
  running: Promise<void> | undefined
}

/**
 * Group commit: callers queue commands, a free lane takes all that its queue holds, up to 500, in one transaction.
 * There is no timer: an idle lane begins at once, a busy one gathers what comes meanwhile.
 */
export class Committer implements AsyncDisposable {
  readonly #options: CommitterOptions
  readonly #lanes: readonly Lane[] = Array.from({ length: LANES }, () => ({ waiting: [], running: undefined }))
  #closed = false

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** Commands that wait now. */
  get queued(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting.length, 0)
  }

  /** Queues commands of one call, in order; each has its own result. Never rejects. */
  submit(items: readonly Item[]): Promise<readonly ItemResult[]> {
    return Promise.all(items.map((item) => this.#queue(item)))
  }

  /** Refuses new commands and waits for those that are queued. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lanes.map((lane) => lane.running))
  }

  #queue(item: Item): Promise<ItemResult> {
    const lane = this.#lanes[laneOf(item.memberId)]
    if (this.#closed || lane === undefined) return Promise.resolve(failed(unavailable('the ledger is stopping')))
    if (lane.waiting.length >= QUEUED_ITEMS_MAX) {
      return Promise.resolve(failed(new StampedeError('RESOURCE_EXHAUSTED', 'too many postings are waiting')))
    }
    return new Promise((resolve) => {
      lane.waiting.push({ item, resolve })
      lane.running ??= this.#run(lane)
    })
  }

  async #run(lane: Lane): Promise<void> {
    // A whole batch call is queued in one turn of the event loop: begin after it, not with its first item.
    await Promise.resolve()
    while (lane.waiting.length > 0) {
      const taken = lane.waiting.splice(0, FLUSH_ITEMS_MAX)
      const late = taken.filter(({ item }) => item.deadlineMs <= this.#options.nowMs())
      for (const { resolve } of late) resolve(failed(new StampedeError('DEADLINE_EXCEEDED')))
      await this.#flush(taken.filter((waiting) => !late.includes(waiting)))
    }
    lane.running = undefined
  }

  /** Flushes a batch; one that the database refuses is halved until the item to blame stands alone. */
  async #flush(batch: readonly Waiting[], attempt = 1): Promise<void> {
    if (batch.length === 0) return
    const startedMs = performance.now()
    try {
      const results = await this.#options.flush(batch.map(({ item }) => item))
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] ?? failed(new StampedeError('INTERNAL')))
      })
      this.#options.onFlushed({ items: batch.length, seconds: (performance.now() - startedMs) / 1_000 })
    } catch (reason) {
      await this.#recover(batch, StampedeError.from(reason), attempt)
    }
  }

  async #recover(batch: readonly Waiting[], error: StampedeError, attempt: number): Promise<void> {
    if (error.code === 'ALREADY_EXISTS' && attempt < DUPLICATE_ATTEMPTS_MAX) return this.#flush(batch, attempt + 1)
    if (error.code === 'UNAVAILABLE' || batch.length === 1) {
      for (const { resolve } of batch) resolve(failed(error))
      return
    }
    const half = Math.ceil(batch.length / 2)
    await this.#flush(batch.slice(0, half))
    await this.#flush(batch.slice(half))
  }
}

function failed(error: StampedeError): ItemResult {
  return { ok: false, error }
}

function laneOf(memberId: string): number {
  return createHash('md5').update(memberId).digest().readUInt8(0) % LANES
}
