import { checkInt, checkText, failedPrecondition } from '@stampede/platform'
import type { ListDrawTicketsRequest, ListDrawTicketsResponse } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { holderOf } from '../../domain/draws/draw.ts'
import { readTickets } from '../../store/draws/tickets.ts'
import { brandOf } from '../checks.ts'
import { checkDrawId, namedDraw } from './check-draw.ts'

const PAGE_SIZE_MAX = 10_000
const PAGE_SIZE_DEFAULT = 1_000

/** The list of tickets in its order. */
export async function listDrawTickets(
  context: LedgerContext,
  request: ListDrawTicketsRequest,
): Promise<ListDrawTicketsResponse> {
  const { brand } = brandOf(context, request.brand)
  const drawId = checkDrawId(request.drawId)
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const after = checkText(request.pageToken, 'page_token', { max: 64 })
  const { state } = await namedDraw(context.database, brand, drawId)
  if (state === 'open') throw failedPrecondition('the list is not fixed yet')
  const found = await readTickets(context.database, { brand, drawId }, after, limit + 1)
  const page = found.slice(0, limit)
  return {
    tickets: page.map(({ ticketId, memberId }) => ({ ticketId, holder: holderOf(brand, drawId, memberId) })),
    nextPageToken: found.length > limit ? (page.at(-1)?.ticketId ?? '') : '',
  }
}
