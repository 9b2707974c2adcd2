import { PushOutcome, PushResult } from '@stampede/proto/push/v1'
import { addRow, MalformedMessage, millisecondsCell, type Origin, type RowSet } from './tables.ts'

const outcomeNames: ReadonlyMap<PushOutcome, string> = new Map([
  [PushOutcome.PUSH_OUTCOME_ACCEPTED, 'accepted'],
  [PushOutcome.PUSH_OUTCOME_REJECTED, 'rejected'],
  [PushOutcome.PUSH_OUTCOME_DEAD_TOKEN, 'dead_token'],
  [PushOutcome.PUSH_OUTCOME_EXPIRED, 'expired'],
  [PushOutcome.PUSH_OUTCOME_ABORTED, 'aborted'],
])

/** Rows of a message of the stream PUSH_RESULT: one per recipient. Throws MalformedMessage. */
export function pushRows(data: Uint8Array, origin: Origin): RowSet {
  const result = decodeResult(data)
  const rows: RowSet = new Map()
  result.outcomes.forEach((outcome, index) => {
    const passNo = result.passNo[index] ?? -1n
    if (passNo < 0n) throw new MalformedMessage('pass_no is negative')
    addRow(rows, 'push_outcomes', [
      result.brand,
      result.campaignId,
      String(passNo),
      result.deviceLibraryId[index] ?? '',
      millisecondsCell(result.atMs[index] ?? 0n),
      result.lane,
      outcomeNames.get(outcome) ?? 'unknown',
      reasonAt(result, index),
      result.retries[index] ?? 0,
      result.chunkId,
      index,
      origin.source,
      origin.sequence,
    ])
  })
  return rows
}

function reasonAt(result: PushResult, index: number): string {
  const pointer = result.reasonIndex[index] ?? 0
  if (pointer === 0) return ''
  // Senders differ in whether the list holds the empty reason itself.
  const position = result.reasons[0] === '' ? pointer : pointer - 1
  return result.reasons[position] ?? ''
}

function decodeResult(data: Uint8Array): PushResult {
  let result: PushResult
  try {
    result = PushResult.decode(data)
  } catch (error) {
    throw new MalformedMessage('not a PushResult', { cause: error })
  }
  if (result.brand === '') throw new MalformedMessage('the result has no brand')
  const { outcomes, passNo, atMs, deviceLibraryId } = result
  if ([passNo, atMs, deviceLibraryId].some((column) => column.length !== outcomes.length))
    throw new MalformedMessage('columns of the result differ in length')
  return result
}
