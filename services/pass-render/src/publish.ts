import { fromNats, type Nats, type OutboxMessage } from '@stampede/platform'

/** Where messages go. */
export interface Publisher {
  readonly jetstream: Pick<Nats['jetstream'], 'publish'>
}

/** How long the broker may take to store one, in milliseconds. */
const ACK_MS = 5_000

/**
 * Puts messages on their streams, past the outbox: for bulky ones that the caller can make again after a failure, under
 * the same ids. The caller bounds their number. Throws UNAVAILABLE when one is not known to be stored.
 */
export async function publishAll(nats: Publisher, messages: readonly OutboxMessage[]): Promise<void> {
  try {
    await Promise.all(
      messages.map(({ subject, id, payload }) =>
        nats.jetstream.publish(subject, payload, { msgID: id, timeout: ACK_MS }),
      ),
    )
  } catch (error) {
    throw fromNats(error)
  }
}
