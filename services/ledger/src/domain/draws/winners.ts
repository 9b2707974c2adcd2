import type { Draw, DrawStep } from './draw.ts'

const DAY_MS = 86_400_000

/** A place in a draw: that of a winner, or of an alternate. */
export interface Place {
  /** From 1. */
  readonly place: number
  readonly ticketId: string
  /** Empty for an alternate who has none. */
  readonly prizeId: string
  readonly valueMinor: bigint
  readonly state: 'won' | 'alternate' | 'handed_over' | 'passed_over'
  /** When the prize must be handed over; undefined for an alternate. */
  readonly untilMs: number | undefined
}

/** How many tickets are drawn: one for each prize, and the alternates. */
export function wantedOf({ prizes, alternates }: Pick<Draw, 'prizes' | 'alternates'>): number {
  return prizes.reduce((sum, { count }) => sum + count, alternates)
}

/** Gives the drawn tickets their prizes, in the order of both. */
export function placesOf(
  steps: readonly DrawStep[],
  { prizes, handOverDays }: Pick<Draw, 'prizes' | 'handOverDays'>,
  nowMs: number,
): readonly Place[] {
  const each = prizes.flatMap((prize) => Array.from({ length: prize.count }, () => prize))
  return steps
    .filter(({ outcome }) => outcome === 'drawn')
    .map(({ ticketId }, index): Place => {
      const prize = each[index]
      const common = { place: index + 1, ticketId }
      if (prize === undefined) return { ...common, prizeId: '', valueMinor: 0n, state: 'alternate', untilMs: undefined }
      const { prizeId, valueMinor } = prize
      return { ...common, prizeId, valueMinor, state: 'won', untilMs: nowMs + handOverDays * DAY_MS }
    })
}

/**
 * Somebody comes for a prize: it is handed over when the points still make a ticket and it is not too late; otherwise the
 * next alternate has it, from now on. Answers the places that change; the last one is whose prize it is.
 */
export function handOver<One extends Place>(
  winner: One,
  others: readonly One[],
  {
    isEntitled,
    nowMs,
    handOverDays,
  }: { readonly isEntitled: boolean; readonly nowMs: number; readonly handOverDays: number },
): readonly One[] {
  if (isEntitled && nowMs < (winner.untilMs ?? 0)) return [{ ...winner, state: 'handed_over' }]
  const passed: One = { ...winner, state: 'passed_over' }
  const next = others.find(({ state }) => state === 'alternate')
  if (next === undefined) return [passed]
  const { prizeId, valueMinor } = winner
  return [passed, { ...next, prizeId, valueMinor, state: 'won', untilMs: nowMs + handOverDays * DAY_MS }]
}
