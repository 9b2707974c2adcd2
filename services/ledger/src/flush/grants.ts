import { type BrandInfo, notFound, StampedeError } from '@stampede/platform'
import { correctAnswer, grantAnswer } from '../answers.ts'
import { endOfLife } from '../domain/calendar.ts'
import type { GrantCommand } from '../domain/grant.ts'
import { earnedTerm } from '../domain/terms.ts'
import { type EventGrant, eventText } from '../store/event-grants.ts'
import { pointsOf } from '../store/keys.ts'
import type { Item, ItemRequest } from './item.ts'
import { type Applied, perform, programmeOf, workingAccount } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

type GrantRequest = Extract<ItemRequest, { kind: 'grant' }>
type CorrectRequest = Extract<ItemRequest, { kind: 'correct' }>

/** The answer to an event that was granted before by another key; undefined when it was not. */
export function repeatedGrant(set: WorkingSet, item: Item): Applied | undefined {
  if (item.request.kind !== 'grant') return undefined
  const known = set.eventGrants.get(eventText({ ...item, eventKey: item.request.eventKey }))
  if (known === undefined) return undefined
  if (!known.contentHash.equals(item.bodyHash)) {
    throw new StampedeError('ALREADY_EXISTS', 'this event was granted before', { field: 'event_key' })
  }
  const { account } = workingAccount(set, pointsOf(item))
  return { response: grantAnswer(known, account), causeId: known.grantId }
}

/** Grants points for an event. */
export function applyGrant(set: WorkingSet, item: Item, request: GrantRequest, brand: BrandInfo): Applied {
  const grantedAtMs = request.occurredAtMs ?? set.nowMs
  const { brand: slug, memberId, bodyHash } = item
  const { eventKey, points } = request
  const grant = { brand: slug, memberId, eventKey, grantId: set.newId(), points, contentHash: bodyHash, grantedAtMs }
  const command = grantCommand(set, grant, points, { request, timeZone: brand.timeZone })
  const { decision } = perform(set, pointsOf(item), command, causeOf('grant', grant))
  keep(set, grant)
  return { response: grantAnswer(grant, decision.account), causeId: grant.grantId }
}

/** Grants or takes back the difference to what an event should have given. */
export function applyCorrect(set: WorkingSet, item: Item, request: CorrectRequest, brand: BrandInfo): Applied {
  const known = set.eventGrants.get(eventText({ ...item, eventKey: request.eventKey }))
  if (known === undefined) throw notFound()
  const grant = { ...known, points: request.points }
  const difference = request.points - known.points
  const key = pointsOf(item)
  const revokeId = known.grantId
  const common = { occurredAtMs: known.grantedAtMs, against: 'issued' } as const
  if (difference > 0n) {
    perform(set, key, grantCommand(set, grant, difference, { timeZone: brand.timeZone }), causeOf('grant', grant))
  } else if (difference < 0n) {
    const rest = { points: -difference, grantId: known.grantId, mayMakeDebt: true }
    perform(set, key, { kind: 'revoke', revokeId, ...rest, ...common }, causeOf('revoke', grant))
  }
  keep(set, grant)
  return { response: correctAnswer(grant, workingAccount(set, key).account), causeId: known.grantId }
}

function grantCommand(
  set: WorkingSet,
  { brand, grantId, grantedAtMs }: EventGrant,
  points: bigint,
  { request, timeZone }: { readonly request?: GrantRequest; readonly timeZone: string },
): GrantCommand {
  const programme = programmeOf(set, brand, grantedAtMs)
  const days = request?.liveDays ?? 0
  const startsAtMs = Math.max(request?.activatesAtMs ?? grantedAtMs, grantedAtMs)
  const term = earnedTerm({ ...programme, activation: { kind: 'immediate' } }, startsAtMs, timeZone)
  const ownEndMs = days === 0 ? term.expiresAtMs : endOfLife(startsAtMs, days, timeZone)
  return {
    kind: 'grant',
    grantId,
    points,
    occurredAtMs: grantedAtMs,
    earnedTerm: { ...term, expiresAtMs: Math.min(ownEndMs, programme.spendUntilMs) },
    funder: request === undefined || request.funder === '' ? programme.funder : request.funder,
    repayBasisPoints: programme.repayBasisPoints,
    against: 'issued',
  }
}

function causeOf(kind: string, { grantId, grantedAtMs }: EventGrant) {
  return { kind, causeId: grantId, eventTimeMs: grantedAtMs }
}

function keep(set: WorkingSet, grant: EventGrant): void {
  set.eventGrants.set(eventText(grant), grant)
  set.changedGrants.add(eventText(grant))
}
