import { type ByteColumn, ColumnWriter, type VarintColumn } from '@stampede/platform'
import { PushResult } from '@stampede/proto/push/v1'

/** Tags of the columns of PushResult (field number and wire type). */
const OUTCOMES = 42
const REASON_INDEX = 58
const AT_MS = 66
const RETRIES = 74
const PASS_NO = 82
const DEVICE_LIBRARY_ID = 90
const DEAD_SINCE_MS = 98

/** Bytes of a recipient besides its pass number and device id: nearly always less, so that the buffer need not grow. */
const RECIPIENT_BYTES = 32

/** What became of the pushes of a chunk, one entry per push. */
export interface OutcomeColumns {
  /** Push of each recipient. */
  readonly pushOfRecipient: Uint32Array
  /** PushOutcome. */
  readonly outcomes: Uint8Array
  /** Index into the reasons. */
  readonly reasonIndex: Uint16Array
  /** Unix milliseconds. */
  readonly atMs: Float64Array
  /** Attempts beyond the first. */
  readonly retries: Uint8Array
  /** Unix milliseconds; 0 when not told. */
  readonly deadSinceMs: Float64Array
}

/** A PushResult in columns. */
export interface ResultColumns {
  /** All fields but the columns; the reasons are among them. */
  readonly head: Pick<PushResult, 'chunkId' | 'brand' | 'campaignId' | 'lane' | 'reasons' | 'finishedAt'>
  readonly outcomes: OutcomeColumns
  readonly passNo: VarintColumn
  readonly deviceLibraryId: ByteColumn
}

/** Writes a PushResult without an object, bigint or text per recipient. */
export function writePushResult({ head, outcomes, passNo, deviceLibraryId }: ResultColumns): Uint8Array {
  const { pushOfRecipient } = outcomes
  const encodedHead = PushResult.encode(PushResult.fromPartial(head)).finish()
  const idBytes = (deviceLibraryId.ends.at(-1) ?? 0) - (deviceLibraryId.starts[0] ?? 0)
  const columnBytes = passNo.bytes.length + idBytes + pushOfRecipient.length * RECIPIENT_BYTES
  const writer = new ColumnWriter(encodedHead.length + columnBytes)
  writer.raw(encodedHead)
  writer.numbers(OUTCOMES, pushOfRecipient, outcomes.outcomes)
  writer.numbers(REASON_INDEX, pushOfRecipient, outcomes.reasonIndex)
  writer.numbers(AT_MS, pushOfRecipient, outcomes.atMs)
  writer.numbers(RETRIES, pushOfRecipient, outcomes.retries)
  writer.varints(PASS_NO, passNo)
  writer.entries(DEVICE_LIBRARY_ID, deviceLibraryId)
  writer.numbers(DEAD_SINCE_MS, pushOfRecipient, outcomes.deadSinceMs)
  return writer.finish()
}
