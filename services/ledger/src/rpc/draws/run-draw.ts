import assert from 'node:assert/strict'
import { checkIdempotencyKey, checkText, failedPrecondition } from '@stampede/platform'
import { RunDrawRequest, RunDrawResponse } from '@stampede/proto/draws/v1'
import type { LedgerContext } from '../../context.ts'
import { drawTickets, holderOf, listHashOf, seedOf } from '../../domain/draws/draw.ts'
import { placesOf, wantedOf } from '../../domain/draws/winners.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { writeDrawn } from '../../store/draws/draws.ts'
import { insertSteps, readAllTickets, resolveTickets, writeWinners } from '../../store/draws/tickets.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkDrawId, namedDraw } from './check-draw.ts'
import { winnerMessage } from './get-draw.ts'

const PUBLIC_VALUE = { min: 1, max: 128, pattern: /^[A-Za-z0-9-]+$/ }

/** Draws, once the list is fixed. */
export async function runDraw(context: LedgerContext, request: RunDrawRequest): Promise<RunDrawResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const drawId = checkDrawId(request.drawId)
  const publicValue = checkText(request.publicValue, 'public_value', PUBLIC_VALUE)
  const encoded = RunDrawRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('draw.run', encoded), method: 'draw.run' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const draw = await namedDraw(tx, brand, drawId, 'update')
    if (draw.state === 'open') throw failedPrecondition('the list is not fixed yet')
    if (draw.state === 'drawn') throw failedPrecondition('this was drawn before')
    const stored = await readAllTickets(tx, { brand, drawId })
    assert.equal(listHashOf(stored), draw.listHash, 'the list is the one that was published')
    const tickets = stored.map(({ ticketId, memberId }) => ({ ticketId, holder: holderOf(brand, drawId, memberId) }))
    const seed = seedOf(draw.secret, publicValue)
    const steps = drawTickets(tickets, seed, wantedOf(draw.rules))
    const members = new Map(stored.map(({ ticketId, memberId }) => [ticketId, memberId]))
    const winners = placesOf(steps, draw.rules, now.getTime()).map((place) => {
      return { ...place, memberId: members.get(place.ticketId) ?? '' }
    })
    await insertSteps(tx, { brand, drawId }, steps)
    await writeWinners(tx, { brand, drawId }, winners)
    await resolveTickets(
      tx,
      { brand, drawId },
      winners.map(({ ticketId }) => ticketId),
    )
    await writeDrawn(tx, draw, seed, now)
    return { response: RunDrawResponse.encode({ seed, winners: winners.map(winnerMessage) }).finish(), causeId: null }
  })
  return RunDrawResponse.decode(response)
}
