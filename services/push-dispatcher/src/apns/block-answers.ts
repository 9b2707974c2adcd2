import { OutcomeCode, type RequestBlock, type Response } from '@stampede/h2push'
import { retryAfterMs } from '../domain/backoff.ts'
import type { AnswerDetails } from '../domain/verdict.ts'
import { ERROR_BODY_BYTES_MAX, readErrorBody } from './error-body.ts'
import { AnswerKind, type PushAnswers } from './transport.ts'

/** AnswerKind by OutcomeCode. A deadline on the wire says nothing about what APNs did with the push. */
const kindOfOutcome = new Uint8Array(6)
kindOfOutcome[OutcomeCode.response] = AnswerKind.answered
kindOfOutcome[OutcomeCode.notProcessed] = AnswerKind.unprocessed
kindOfOutcome[OutcomeCode.unknown] = AnswerKind.unknown
kindOfOutcome[OutcomeCode.deadline] = AnswerKind.unknown
kindOfOutcome[OutcomeCode.cancelled] = AnswerKind.unsent

/** The answers of a block whose requests have all ended, and how many of them are unknown, with the first cause. */
export function answersOfBlock(
  block: RequestBlock,
  stopReason: string | undefined,
): { readonly answers: PushAnswers; readonly unknown: number; readonly cause: string } {
  const { size, outcomes, statuses, endedAfterMs, createdAtMs } = block
  const kinds = new Uint8Array(size)
  const atMs = new Float64Array(size)
  const details = new Map<number, AnswerDetails>()
  let unknown = 0
  let cause = ''
  for (let index = 0; index < size; index += 1) {
    const outcome = outcomes[index] as number
    kinds[index] = kindOfOutcome[outcome] as number
    if (outcome === OutcomeCode.response) {
      atMs[index] = createdAtMs + (endedAfterMs[index] as number)
      const response = statuses[index] === 200 ? undefined : block.response(index)
      if (response !== undefined) details.set(index, detailsOf(response, atMs[index] as number))
    } else if (outcome === OutcomeCode.cancelled && stopReason !== undefined) kinds[index] = AnswerKind.stopped
    else if (kinds[index] === AnswerKind.unknown) {
      if (unknown === 0) cause = block.cause(index)
      unknown += 1
    }
  }
  return { answers: { kinds, statuses, atMs, details, stopReason: stopReason ?? '' }, unknown, cause }
}

function detailsOf({ body, headers }: Response, nowMs: number): AnswerDetails {
  const retryAfter = headers.find(([name]) => name === 'retry-after')?.[1]
  const text = body.length > ERROR_BODY_BYTES_MAX ? new Uint8Array(0) : body
  return { ...readErrorBody(text), retryAfterMs: retryAfterMs(retryAfter, nowMs) }
}
