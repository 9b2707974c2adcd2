import { checkIdempotencyKey, checkInt, failedPrecondition, notFound, uuidv7 } from '@stampede/platform'
import { HandOverPrizeRequest, HandOverPrizeResponse } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { ticketsFor } from '../../domain/draws/draw.ts'
import { handOver } from '../../domain/draws/winners.ts'
import { memberParty, moneyPosting, owed } from '../../domain/money.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { readStandings } from '../../store/draws/receipts.ts'
import { readWinners, writeWinners } from '../../store/draws/tickets.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkDrawId, namedDraw } from './check-draw.ts'
import { winnerMessage } from './get-draw.ts'

const PLACES_MAX = 1_000_000

/** Hands a prize over, or passes it on to the next alternate. */
export async function handOverPrize(
  context: LedgerContext,
  request: HandOverPrizeRequest,
): Promise<HandOverPrizeResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const drawId = checkDrawId(request.drawId)
  const place = checkInt(request.place, 'place', { min: 1, max: PLACES_MAX })
  const encoded = HandOverPrizeRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('draw.hand-over', encoded), method: 'draw.hand-over' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const { rules } = await namedDraw(tx, brand, drawId, 'update')
    const winners = await readWinners(tx, { brand, drawId })
    const winner = winners.find((one) => one.place === place)
    if (winner === undefined) throw notFound()
    if (winner.state !== 'won') throw failedPrecondition(`this place is ${winner.state}`)
    const [standing] = await readStandings(tx, { brand, drawId }, winner.memberId)
    const isEntitled = ticketsFor(standing?.points ?? 0n, rules) > 0n
    const at = { isEntitled, nowMs: now.getTime(), handOverDays: rules.handOverDays }
    const changed = handOver(winner, winners, at)
    await writeWinners(tx, { brand, drawId }, changed)
    const owner = changed.at(-1)
    const handedOver = owner?.state === 'handed_over'
    if (owner !== undefined && handedOver) {
      const entries = owed('prize', memberParty(owner.memberId), owner.valueMinor)
      const cause = { kind: 'prize', causeId: uuidv7(now.getTime()), reference: `${drawId}/${place}` } as const
      const posting = moneyPosting({ ...cause, occurredAtMs: now.getTime(), entries })
      await insertMoneyPostings(tx, [{ brand, posting }], now)
    }
    const winnerNow = owner === undefined || owner.state === 'passed_over' ? undefined : winnerMessage(owner)
    return { response: HandOverPrizeResponse.encode({ winner: winnerNow, handedOver }).finish(), causeId: null }
  })
  return HandOverPrizeResponse.decode(response)
}
