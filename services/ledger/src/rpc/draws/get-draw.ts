import type { GetDrawRequest, GetDrawResponse, DrawWinner as WinnerMessage } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { secretHashOf } from '../../domain/draws/draw.ts'
import { type DrawWinner, readSteps, readWinners } from '../../store/draws/tickets.ts'
import { brandOf } from '../checks.ts'
import { checkDrawId, namedDraw } from './check-draw.ts'

const STEPS_MAX = 100_000

/** A draw with all that is public of it by now. */
export async function getDraw(context: LedgerContext, request: GetDrawRequest): Promise<GetDrawResponse> {
  const { brand } = brandOf(context, request.brand)
  const drawId = checkDrawId(request.drawId)
  const { message, state, secret, listHash, ticketCount, seed } = await namedDraw(context.database, brand, drawId)
  const steps = await readSteps(context.database, { brand, drawId }, STEPS_MAX)
  const winners = await readWinners(context.database, { brand, drawId })
  return {
    draw: message,
    state,
    secretHash: secretHashOf(secret),
    listHash,
    ticketCount,
    seed,
    steps: [...steps],
    winners: winners.map(winnerMessage),
  }
}

/** A winner as callers see it. */
export function winnerMessage({ untilMs, place, ticketId, memberId, prizeId, state }: DrawWinner): WinnerMessage {
  return { place, ticketId, memberId, prizeId, state, until: untilMs === undefined ? undefined : new Date(untilMs) }
}
