import type { Draw as DrawMessage } from '@stampede/proto/draws/v1'
import type { Draw } from './domain/draws/draw.ts'

/** Tickets of one member at most. */
const TICKETS_MAX = 1_000n

/** A checked message as the domain knows it. */
export function drawOf(message: DrawMessage): Draw {
  return {
    drawId: message.drawId,
    fromMs: message.from?.getTime() ?? 0,
    cutOffMs: message.cutOff?.getTime() ?? 0,
    earnBasisPoints: BigInt(message.earnBasisPoints),
    threshold: message.threshold,
    ticketsMax: message.tickets === 'per_threshold' ? TICKETS_MAX : 1n,
    prizes: message.prizes.map(({ prizeId, valueMinor, count }) => ({ prizeId, valueMinor, count })),
    alternates: message.alternates,
    burn: message.burn === 'entrants' ? 'entrants' : 'all',
    handOverDays: message.handOverDays,
  }
}
