import { Event } from '@stampede/proto/events/v1'
import type { Delivery } from './consumer.ts'
import type { Sql } from './database.ts'
import { invalidArgument } from './errors.ts'
import { uuidv7 } from './ids.ts'
import type { OutboxMessage } from './outbox.ts'
import { subjects } from './subjects.ts'

/** What an event carries: the aggregate's full visible state. */
export type EventPayload = NonNullable<Event['payload']>

/** Kind of an aggregate; it decides the subject. */
export type AggregateKind = EventPayload['$case']

/** A change of an aggregate. */
export interface EventInput {
  /** Slug of the brand. */
  readonly brand: string
  readonly aggregateKind: AggregateKind
  /** Unique within brand and kind. */
  readonly aggregateId: string
  /** Grows with each change, from 1. */
  readonly aggregateVersion: bigint
  /** When it happened in the business sense. */
  readonly eventTime: Date
  /** Such as ledger.account.v1. */
  readonly schema: string
  readonly payload: EventPayload
}

/** An event for the outbox; `now` is when its owner recorded it. */
export function makeEvent(input: EventInput, now: Date): OutboxMessage {
  const id = uuidv7(now.getTime())
  const event = Event.fromPartial({ ...input, id, recordedAt: now })
  return { subject: subjects[input.aggregateKind](input.brand), id, payload: Event.encode(event).finish() }
}

/** The events of a batch, in its order; throws when one is not an event (the consumer then finds it by bisection). */
export function decodeEvents(batch: readonly Pick<Delivery, 'data' | 'subject'>[]): readonly Event[] {
  return batch.map(({ data, subject }) => {
    let event: Event
    try {
      event = Event.decode(data)
    } catch {
      throw invalidArgument('data', `a message on ${subject} is not an event`)
    }
    if (event.id === '' || event.brand === '' || event.aggregateKind === '') {
      throw invalidArgument('data', `a message on ${subject} lacks the fields of an event`)
    }
    return event
  })
}

/** Of each aggregate only the event with the highest version, in the order of the batch. */
export function newestPerAggregate(events: readonly Event[]): readonly Event[] {
  const newest = new Map<string, Event>()
  for (const event of events) {
    const key = `${event.brand}/${event.aggregateKind}/${event.aggregateId}`
    const known = newest.get(key)
    if (known === undefined || known.aggregateVersion < event.aggregateVersion) newest.set(key, event)
  }
  const kept = new Set(newest.values())
  return events.filter((event) => kept.has(event))
}

/**
 * Writes event ids to the inbox in the transaction of their effects; returns those that this consumer has not had
 * before. Ids are forgotten after 8 days, when no stream holds them any more.
 */
export async function claimInbox(tx: Sql, consumer: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  // Sorted, so that two transactions with the same ids wait for, instead of locking out, each other.
  const rows = await tx.query<{ event_id: string }>({
    name: 'inbox-claim',
    text: `INSERT INTO inbox (consumer, event_id)
           SELECT $1, id FROM unnest($2::text[]) AS id ORDER BY id
           ON CONFLICT DO NOTHING
           RETURNING event_id`,
    values: [consumer, ids],
  })
  return new Set(rows.map((row) => row.event_id))
}
