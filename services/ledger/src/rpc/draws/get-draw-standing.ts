import { checkUuid } from '@stampede/platform'
import type { GetDrawStandingRequest, GetDrawStandingResponse } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { ticketsFor, ticketsOf } from '../../domain/draws/draw.ts'
import { readStandings } from '../../store/draws/receipts.ts'
import { readTicketsOf } from '../../store/draws/tickets.ts'
import { brandOf } from '../checks.ts'
import { checkDrawId, namedDraw } from './check-draw.ts'

/** What a member has earned for a draw. */
export async function getDrawStanding(
  context: LedgerContext,
  request: GetDrawStandingRequest,
): Promise<GetDrawStandingResponse> {
  const { brand } = brandOf(context, request.brand)
  const drawId = checkDrawId(request.drawId)
  const memberId = checkUuid(request.memberId, 'member_id')
  const { rules, state } = await namedDraw(context.database, brand, drawId)
  const [standing] = await readStandings(context.database, { brand, drawId }, memberId)
  const points = standing?.points ?? 0n
  if (state !== 'open') {
    const ticketIds = await readTicketsOf(context.database, { brand, drawId }, memberId)
    return { points, lacking: 0n, ticketIds: [...ticketIds] }
  }
  const tickets = ticketsFor(points, rules)
  const lacking = tickets < rules.ticketsMax ? (tickets + 1n) * rules.threshold - points : 0n
  return { points, lacking, ticketIds: ticketsOf(brand, drawId, memberId, tickets).map(({ ticketId }) => ticketId) }
}
