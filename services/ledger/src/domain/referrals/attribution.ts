import type { ReferralProgramme } from './programme.ts'

const DAY_MS = 86_400_000

/** Somebody came by a member's code. */
export interface Touch {
  readonly advocateId: string
  readonly touchedAtMs: number
}

/** The touch that a new member is counted for; undefined when none is young enough. */
export function countedTouch(
  touches: readonly Touch[],
  { attributionDays, touch }: Pick<ReferralProgramme, 'attributionDays' | 'touch'>,
  nowMs: number,
): Touch | undefined {
  const young = touches
    .filter(({ touchedAtMs }) => touchedAtMs <= nowMs && nowMs < touchedAtMs + attributionDays * DAY_MS)
    .toSorted((left, right) => left.touchedAtMs - right.touchedAtMs)
  return touch === 'first' ? young[0] : young.at(-1)
}
