import type { Handlers } from '@stampede/platform'
import type { DrawServiceService } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { getDraw } from './get-draw.ts'
import { getDrawStanding } from './get-draw-standing.ts'
import { handOverPrize } from './hand-over-prize.ts'
import { listDrawTickets } from './list-draw-tickets.ts'
import { putDraw } from './put-draw.ts'
import { runDraw } from './run-draw.ts'

/** All methods about prize draws over one context. */
export function drawHandlers(context: LedgerContext): Handlers<typeof DrawServiceService> {
  return {
    putDraw: (request) => putDraw(context, request),
    getDraw: (request) => getDraw(context, request),
    getDrawStanding: (request) => getDrawStanding(context, request),
    listDrawTickets: (request) => listDrawTickets(context, request),
    runDraw: (request) => runDraw(context, request),
    handOverPrize: (request) => handOverPrize(context, request),
  }
}
