import type { PushResult } from '@stampede/proto/push/v1'
import { PushOutcome } from '@stampede/proto/push/v1'

/** A push result in numbers. */
export interface CountedResult {
  readonly recipients: number
  readonly accepted: number
  readonly failed: number
  readonly aborted: number
  /** Failures by reason. */
  readonly reasons: Readonly<Record<string, number>>
  readonly passNo: readonly bigint[]
  readonly acceptedAtMs: readonly bigint[]
}

/** Counts a result's columns; what is neither accepted nor aborted failed. */
export function countResult(result: PushResult): CountedResult {
  const reasons: Record<string, number> = {}
  const passNo: bigint[] = []
  const acceptedAtMs: bigint[] = []
  let [failed, aborted] = [0, 0]
  result.outcomes.forEach((outcome, index) => {
    if (outcome === PushOutcome.PUSH_OUTCOME_ACCEPTED) {
      passNo.push(result.passNo[index] ?? -1n)
      acceptedAtMs.push(result.atMs[index] ?? 0n)
      return
    }
    if (outcome === PushOutcome.PUSH_OUTCOME_ABORTED) {
      aborted += 1
      return
    }
    failed += 1
    const reason = result.reasons[result.reasonIndex[index] ?? 0] || 'unknown'
    reasons[reason] = (reasons[reason] ?? 0) + 1
  })
  return { recipients: result.outcomes.length, accepted: passNo.length, failed, aborted, reasons, passNo, acceptedAtMs }
}
