import type { ClickHouse } from '@stampede/platform'
import { decodeBatch, eventSource, rowsWithout } from '../jobs/source.ts'
import { storeRange } from '../store/ingest.ts'

let ranges = 0

/** Stores events as one range, past the stream. */
export async function storeEvents(client: ClickHouse, events: readonly Uint8Array[]): Promise<void> {
  ranges += 1
  const source = `TEST@${ranges}`
  const messages = events.map((data, index) => ({ subject: 'ledger.test.receipt', data, sequence: index + 1 }))
  const batch = decodeBatch(eventSource, source, messages)
  if (batch.bad[0]) throw new Error(batch.bad[0].reason)
  await storeRange(client, { source, first: 1, last: events.length }, rowsWithout(batch, []))
}
