import type { JsMsg } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { StampedeError } from './errors.ts'
import type { Nats } from './nats.ts'
import { subjects } from './subjects.ts'

const backOffFirstMs = 1_000
const backOffMaxMs = 30_000
const reasonCharactersMax = 500

/** How long to wait before delivery number `deliveries` + 1: doubling from 1 s to 30 s, give or take a quarter. */
export function backOffMs(deliveries: number): number {
  const plain = Math.min(backOffMaxMs, backOffFirstMs * 2 ** Math.min(deliveries - 1, 10))
  return Math.round(plain * (0.75 + Math.random() / 2))
}

/** Whether a failure may pass by itself (a database that is away), so that the messages are not to blame. */
export function mayPass(error: unknown): boolean {
  return error instanceof StampedeError && error.retryable
}

/** What went wrong, on one line and without what a caller must not see. */
export function reasonOf(error: unknown): string {
  const text = error instanceof StampedeError ? `${error.code}: ${error.message}` : String(error)
  const cause = error instanceof StampedeError && error.code === 'INTERNAL' ? ` (${String(error.cause)})` : ''
  return `${text}${cause}`.replaceAll(/\s+/g, ' ').slice(0, reasonCharactersMax)
}

/**
 * Moves a message to the stream DEAD, unchanged, with the reason in its headers (Stampede-Reason, -Stream, -Sequence,
 * -Consumer, -Deliveries) and ends its delivery. Throws when the broker does not take it.
 */
export async function buryMessage(nats: Nats, message: JsMsg, reason: string): Promise<void> {
  const { stream, consumer, deliveryCount } = message.info
  const fields = headers()
  fields.set('Stampede-Reason', reason)
  fields.set('Stampede-Stream', stream)
  fields.set('Stampede-Sequence', String(message.seq))
  fields.set('Stampede-Consumer', consumer)
  fields.set('Stampede-Deliveries', String(deliveryCount))
  await nats.jetstream.publish(subjects.dead(message.subject), message.data, {
    headers: fields,
    msgID: `dead-${stream}-${consumer}-${message.seq}`,
  })
  message.term(reason)
}
