import type { Nats } from './nats.ts'
import { isUnpublishable } from './nats-errors.ts'
import { isLastWins } from './subjects.ts'

/** A row of the outbox. */
export interface OutboxRow {
  readonly id: bigint
  readonly subject: string
  readonly message_id: string
  readonly payload: Uint8Array
}

/** What became of a batch of rows. */
export interface PublishOutcome {
  /** On JetStream, or superseded by a later row of the same last-wins subject that is: to be deleted. */
  readonly done: readonly bigint[]
  /** How many JetStream knew already. */
  readonly duplicates: number
  /** Can never be published. */
  readonly rejected: readonly { readonly row: OutboxRow; readonly reason: string }[]
  /** First failure that may pass; undefined when every row has an outcome. */
  readonly failure: unknown
}

const inFlightMax = 256
/** Short, because what was under way when a connection broke is never answered; a repeat is harmless. */
const ackTimeoutMs = 2_000

type Ack = { readonly ok: true; readonly duplicate: boolean } | { readonly ok: false; readonly error: unknown }

/**
 * Publishes rows in their order with a bounded number of unacknowledged ones. Of a last-wins subject only the newest
 * row goes out: it cannot be overtaken by an older one that is repeated after a failure.
 */
export async function publishRows(nats: Nats, rows: readonly OutboxRow[]): Promise<PublishOutcome> {
  const { published, superseded } = compact(rows)
  const acks = await publishInOrder(nats, published)
  const done: bigint[] = []
  const rejected: { row: OutboxRow; reason: string }[] = []
  let duplicates = 0
  let failure: unknown
  for (const [index, row] of published.entries()) {
    const ack = acks[index]
    if (ack === undefined) continue
    if (ack.ok) {
      done.push(row.id, ...(superseded.get(row.id) ?? []))
      if (ack.duplicate) duplicates++
    } else if (isUnpublishable(ack.error)) {
      rejected.push({ row, reason: ack.error instanceof Error ? ack.error.message : String(ack.error) })
    } else {
      failure ??= ack.error
    }
  }
  return { done, duplicates, rejected, failure }
}

interface Compacted {
  readonly published: readonly OutboxRow[]
  /** Id of a published row -> older rows of its subject. */
  readonly superseded: ReadonlyMap<bigint, readonly bigint[]>
}

function compact(rows: readonly OutboxRow[]): Compacted {
  const newest = new Map<string, OutboxRow>()
  for (const row of rows) if (isLastWins(row.subject)) newest.set(row.subject, row)
  const superseded = new Map<bigint, bigint[]>()
  const published: OutboxRow[] = []
  for (const row of rows) {
    const winner = newest.get(row.subject)
    if (winner === undefined || winner === row) published.push(row)
    else superseded.set(winner.id, [...(superseded.get(winner.id) ?? []), row.id])
  }
  return { published, superseded }
}

/** Stops handing out rows after the first failure, so that a broker that is away costs one time-out, not hundreds. */
async function publishInOrder(nats: Nats, rows: readonly OutboxRow[]): Promise<readonly (Ack | undefined)[]> {
  const acks: (Ack | undefined)[] = rows.map(() => undefined)
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    while (!failed && next < rows.length) {
      const index = next++
      const row = rows[index]
      if (row === undefined) return
      const ack = await publishOne(nats, row)
      acks[index] = ack
      if (!ack.ok && !isUnpublishable(ack.error)) failed = true
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlightMax, rows.length) }, worker))
  return acks
}

async function publishOne(nats: Nats, row: OutboxRow): Promise<Ack> {
  try {
    const options = { msgID: row.message_id, timeout: ackTimeoutMs }
    const { duplicate } = await nats.jetstream.publish(row.subject, row.payload, options)
    return { ok: true, duplicate }
  } catch (error) {
    return { ok: false, error }
  }
}
