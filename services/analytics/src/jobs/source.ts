import { type ClickHouse, streams, subjects } from '@stampede/platform'
import { type EventRows, eventRows } from '../domain/event-rows.ts'
import { pushRows } from '../domain/push-rows.ts'
import { appendRows, MalformedMessage, type Origin, type RowSet } from '../domain/tables.ts'
import { knownReceipts, receiptKeyText } from '../store/ingest.ts'

/** A message as it was read. */
export interface SourceMessage {
  readonly subject: string
  readonly data: Uint8Array
  readonly sequence: number
}

/** A message that cannot become rows. */
export interface BadMessage {
  readonly message: SourceMessage
  readonly reason: string
}

/** A message that has become rows. */
interface DecodedMessage extends EventRows {
  readonly sequence: number
}

/** A batch, decoded; the same messages give the same again. */
export interface DecodedBatch {
  readonly messages: readonly DecodedMessage[]
  readonly bad: readonly BadMessage[]
}

/** A stream that analytics takes in. */
export interface Source {
  readonly stream: string
  readonly subjects: readonly string[]
  /** Messages that the client may hold unread; with their size it bounds the memory. */
  readonly prefetchMax: number
  /** Rows of a message; throws MalformedMessage. */
  readonly rowsOf: (data: Uint8Array, origin: Origin) => EventRows
}

/** Receipts, accounts, members, passes, fetches and campaigns. */
export const eventSource: Source = {
  stream: streams.EVENTS,
  subjects: [
    subjects.receipt('*'),
    subjects.account('*'),
    subjects.member('*'),
    subjects.pass('*'),
    subjects.fetches('*'),
    subjects.campaign('*'),
  ],
  prefetchMax: 2_000,
  rowsOf: eventRows,
}

/** Outcomes of pushes. A result may hold thousands of recipients, so few are held unread. */
export const pushSource: Source = {
  stream: streams.PUSH_RESULT,
  subjects: [subjects.pushResult('*')],
  prefetchMax: 100,
  rowsOf: (data, origin) => ({ rows: pushRows(data, origin) }),
}

/** Decodes a batch; messages that cannot become rows are told apart. */
export function decodeBatch(source: Source, name: string, messages: readonly SourceMessage[]): DecodedBatch {
  const decoded: DecodedMessage[] = []
  const bad: BadMessage[] = []
  for (const message of messages) {
    const { data, sequence } = message
    try {
      decoded.push({ sequence, ...source.rowsOf(data, { source: name, sequence }) })
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      bad.push({ message, reason: error.message })
    }
  }
  return { messages: decoded, bad }
}

/** Rows of a batch without those of the skipped messages. */
export function rowsWithout(batch: DecodedBatch, skipped: readonly number[]): RowSet {
  const left = new Set(skipped)
  const rows: RowSet = new Map()
  for (const message of batch.messages) if (!left.has(message.sequence)) appendRows(rows, message.rows)
  return rows
}

/**
 * Sequences of receipts that are stored already or that the batch has brought before. An outbox that was down for longer
 * than JetStream remembers message ids publishes once more. Receipts are added up, so a repeated one must be left out;
 * all else is either the newest version or counted distinctly.
 */
export async function repeatedReceipts(client: ClickHouse, batch: DecodedBatch): Promise<readonly number[]> {
  const receipts = batch.messages.flatMap(({ sequence, receipt }) => (receipt ? [{ sequence, receipt }] : []))
  const keys = receipts.map((one) => one.receipt)
  const seen = new Set(await knownReceipts(client, keys))
  return receipts
    .filter(({ receipt }) => {
      const text = receiptKeyText(receipt)
      if (seen.has(text)) return true
      seen.add(text)
      return false
    })
    .map((one) => one.sequence)
}
