import type { TierLadder as LadderMessage } from '@stampede/proto/programmes/v1'
import type { TierLadder, Window } from './domain/tiers/ladder.ts'

const PLAIN_HUNDREDTHS = 100n

/** A checked message as the domain knows it. */
export function ladderOf(message: LadderMessage): TierLadder {
  return {
    tiers: message.tiers.map(({ tierId, threshold, earnHundredths, entryPoints }) => ({
      tierId,
      threshold,
      earnHundredths: earnHundredths === 0 ? PLAIN_HUNDREDTHS : BigInt(earnHundredths),
      entryPoints,
    })),
    metric: message.metric === '' ? 'spend' : (message.metric as TierLadder['metric']),
    window: windowOf(message),
    graceDays: message.graceDays,
    upgrade: message.upgrade === '' ? 'immediate' : (message.upgrade as TierLadder['upgrade']),
    downgrade: message.downgrade === '' ? 'reassess' : (message.downgrade as TierLadder['downgrade']),
  }
}

function windowOf({ window, rollingMonths, holdMonths }: LadderMessage): Window {
  if (window === 'rolling') return { kind: 'rolling', months: rollingMonths, holdMonths }
  return { kind: window === 'anniversary' ? 'anniversary' : 'calendar_year' }
}
