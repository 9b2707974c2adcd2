import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Database } from './database.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Nats } from './nats.ts'
import { createRelayMetrics, type RelayMetrics } from './platform-metrics.ts'
import { type OutboxRow, publishRows } from './relay-publish.ts'

/** What the relay of a service needs. */
export interface RelayOptions {
  readonly database: Database
  readonly nats: Nats
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Moves messages from the outbox to JetStream; disposing ends it after the batch in hand. */
export interface Relay extends AsyncDisposable {
  /** Says that a transaction with messages has committed; without it they wait for the next poll (250 ms). */
  wake(): void
}

const batchRowsMax = 500
const pollMs = 250
const retryDelayMs = 500
/** How often a replica that does not relay tries to become the one that does. */
const leaderRetryMs = 1_000
const connectTimeoutMs = 5_000
const queryTimeoutMs = 30_000
const stopDeadlineMs = 15_000
const inboxPurgeEveryMs = 600_000
/** Longer than any stream keeps an event (7 days), so no id is forgotten that can come again. */
const inboxKeepDays = 8
const inboxPurgeRowsMax = 10_000
/** How often the oldest message is looked at. */
const measureEveryMs = 2_000

/**
 * Starts the relay. Any number of replicas may: one of them, by an advisory lock of the schema, reads the outbox in
 * the order of its ids, publishes with the message id and deletes after the ack. There is no cursor, so a transaction
 * that commits late is never skipped. It outlives restarts of NATS and of PostgreSQL; what was published and not yet
 * deleted is published again, which JetStream drops within two minutes and consumers bear after that.
 * Needs a direct connection to PostgreSQL (an advisory lock does not survive a transaction-mode pooler).
 */
export function startRelay(options: RelayOptions): Relay {
  const worker = new RelayWorker(options)
  return { wake: () => worker.wake(), [Symbol.asyncDispose]: () => worker.stop() }
}

class RelayWorker {
  readonly #options: RelayOptions
  readonly #channel: string
  readonly #metrics: RelayMetrics
  readonly #running: Promise<void>
  readonly #stopping = new AbortController()
  #client: Client | undefined
  #leading = false
  #woken = false
  #wakeUp: (() => void) | undefined
  #notifying = false
  #purgeAtMs = 0
  #measureAtMs = 0

  constructor(options: RelayOptions) {
    this.#options = options
    this.#channel = `stampede_outbox_${options.database.schema}`
    this.#metrics = createRelayMetrics(options.metrics)
    this.#running = this.#run()
  }

  wake(): void {
    if (this.#leading) this.#signal()
    else this.#notifyLeader()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#signal()
    const deadline = new AbortController()
    const late = sleep(stopDeadlineMs, 'late', { signal: deadline.signal }).catch(() => 'stopped')
    const outcome = await Promise.race([this.#running.then(() => 'stopped'), late])
    deadline.abort()
    if (outcome === 'late') {
      this.#options.logger.warn('the relay did not end in time; its batch is repeated by the next one')
      await this.#client?.end()
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#connectAndWork()
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#metrics.failures.inc()
        this.#options.logger.warn({ err: error }, 'the relay lost its database connection, trying again')
        await this.#idle(retryDelayMs)
      }
    }
  }

  async #connectAndWork(): Promise<void> {
    const { url, schema } = this.#options.database
    const client = new Client({
      connectionString: url,
      options: `-c search_path=${schema}`,
      application_name: `stampede-${schema}-relay`,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
    })
    client.on('error', () => this.#signal())
    client.on('notification', () => this.#signal())
    try {
      await client.connect()
      this.#client = client
      await this.#lead(client)
    } finally {
      this.#client = undefined
      this.#leading = false
      this.#metrics.leader.set(0)
      this.#metrics.oldest.set(0)
      await client.end().catch(() => {
        // Lost already.
      })
    }
  }

  async #lead(client: Client): Promise<void> {
    while (!(await tryLead(client, this.#options.database.schema))) {
      await this.#idle(leaderRetryMs)
      if (this.#stopping.signal.aborted) return
    }
    await client.query(`LISTEN ${this.#channel}`)
    this.#leading = true
    this.#metrics.leader.set(1)
    this.#options.logger.info('relaying the outbox')
    while (!this.#stopping.signal.aborted) {
      await this.#measure(client)
      const more = await this.#relayBatch(client)
      if (more) continue
      await this.#purgeInbox(client)
      await this.#idle(pollMs)
    }
  }

  /** Whether there may be more to do at once. */
  async #relayBatch(client: Client): Promise<boolean> {
    if (!this.#options.nats.isConnected()) return false
    const rows = await readBatch(client)
    if (rows.length === 0) return false
    const { done, duplicates, rejected, failure } = await publishRows(this.#options.nats, rows)
    if (done.length > 0) await deleteRows(client, done)
    for (const { row, reason } of rejected) {
      this.#options.logger.error({ subject: row.subject, messageId: row.message_id, reason }, 'message rejected')
      await setAside(client, row.id, reason)
    }
    this.#metrics.published.inc(done.length)
    this.#metrics.duplicates.inc(duplicates)
    this.#metrics.rejected.inc(rejected.length)
    if (failure !== undefined) {
      this.#metrics.failures.inc()
      this.#options.logger.warn({ err: failure, subject: rows[0]?.subject }, 'publishing failed, trying again')
      await sleep(retryDelayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    }
    // Whoever has committed since the read has woken us: looking again after every batch would only find nothing.
    return rows.length === batchRowsMax || failure !== undefined
  }

  /** Also while the broker is away: that is when the oldest message grows old. */
  async #measure(client: Client): Promise<void> {
    if (Date.now() < this.#measureAtMs) return
    this.#measureAtMs = Date.now() + measureEveryMs
    this.#metrics.oldest.set(await oldestSeconds(client))
  }

  async #purgeInbox(client: Client): Promise<void> {
    if (Date.now() < this.#purgeAtMs) return
    this.#purgeAtMs = Date.now() + inboxPurgeEveryMs
    await client.query(
      `DELETE FROM inbox WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM inbox WHERE seen_at < now() - make_interval(days => $1) LIMIT $2))`,
      [inboxKeepDays, inboxPurgeRowsMax],
    )
  }

  #signal(): void {
    this.#woken = true
    this.#wakeUp?.()
  }

  /** Waits until woken, at most so long. */
  async #idle(ms: number): Promise<void> {
    if (!this.#woken && !this.#stopping.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#wakeUp = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wakeUp = undefined
    }
    this.#woken = false
  }

  /**
   * Tells the leader in another process. Apart from the writers' transactions, because NOTIFY makes commits of one
   * database queue behind each other; calls meanwhile are covered by the one under way.
   */
  #notifyLeader(): void {
    const client = this.#client
    if (client === undefined || this.#notifying) return
    this.#notifying = true
    client
      .query(`NOTIFY ${this.#channel}`)
      .catch(() => {
        // The leader polls anyway.
      })
      .finally(() => {
        this.#notifying = false
      })
  }
}

async function tryLead(client: Client, schema: string): Promise<boolean> {
  const result = await client.query<{ leads: boolean }>(
    'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS leads',
    [`stampede relay ${schema}`],
  )
  return result.rows[0]?.leads === true
}

async function readBatch(client: Client): Promise<readonly OutboxRow[]> {
  const result = await client.query<{ id: string; subject: string; message_id: string; payload: Buffer }>({
    name: 'outbox-read',
    text: 'SELECT id, subject, message_id, payload FROM outbox ORDER BY id LIMIT $1',
    values: [batchRowsMax],
  })
  return result.rows.map((row) => ({ ...row, id: BigInt(row.id) }))
}

async function oldestSeconds(client: Client): Promise<number> {
  const result = await client.query<{ seconds: number }>({
    name: 'outbox-oldest',
    text: `SELECT greatest(0, extract(epoch FROM clock_timestamp() - written_at))::float8 AS seconds
             FROM outbox ORDER BY id LIMIT 1`,
  })
  return result.rows[0]?.seconds ?? 0
}

async function deleteRows(client: Client, ids: readonly bigint[]): Promise<void> {
  await client.query({
    name: 'outbox-delete',
    text: 'DELETE FROM outbox WHERE id = ANY($1::bigint[])',
    values: [ids],
  })
}

async function setAside(client: Client, id: bigint, reason: string): Promise<void> {
  await client.query(
    `WITH gone AS (DELETE FROM outbox WHERE id = $1 RETURNING id, subject, message_id, payload)
     INSERT INTO outbox_rejected (id, subject, message_id, payload, reason)
     SELECT id, subject, message_id, payload, $2 FROM gone`,
    [id, reason],
  )
}
