import type { Draw } from '../domain/account.ts'

/** Two columns as draws, in their order. */
export function drawsOf(lotIds: readonly string[], points: readonly bigint[]): readonly Draw[] {
  return lotIds.map((lotId, index) => ({ lotId, points: points[index] ?? 0n }))
}
