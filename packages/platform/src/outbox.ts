import assert from 'node:assert/strict'
import type { Sql } from './database.ts'

/** A message that goes to JetStream if, and only if, the transaction that wrote it commits. */
export interface OutboxMessage {
  /** From `subjects`. */
  readonly subject: string
  /** Nats-Msg-Id: a repeat within two minutes is dropped by JetStream. Unique per message. */
  readonly id: string
  /** At most 8,000,000 bytes. */
  readonly payload: Uint8Array
}

/** Largest payload in bytes: what nats-server is configured for, less its headers. */
export const outboxPayloadBytesMax = 8_000_000

/** Messages of one call at most; a bigger transaction calls several times. */
export const outboxMessagesMax = 10_000

const insert = {
  name: 'outbox-insert',
  text: `INSERT INTO outbox (subject, message_id, payload)
         SELECT subject, message_id, payload
         FROM unnest($1::text[], $2::text[], $3::bytea[]) WITH ORDINALITY AS m (subject, message_id, payload, n)
         ORDER BY n`,
}

/** Writes messages in the caller's transaction, in their order. Call the relay's `wake` after the commit. */
export async function writeOutbox(tx: Sql, messages: readonly OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return
  assert.ok(messages.length <= outboxMessagesMax, `at most ${outboxMessagesMax} messages at once`)
  for (const { subject, payload } of messages) {
    assert.ok(payload.byteLength <= outboxPayloadBytesMax, `message for ${subject} is too large`)
    assert.match(subject, /^[^\s*>]+$/, 'a message has a subject without wildcards')
  }
  await tx.query({
    ...insert,
    values: [
      messages.map((message) => message.subject),
      messages.map((message) => message.id),
      messages.map((message) => message.payload),
    ],
  })
}
