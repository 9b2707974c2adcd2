import {
  checkUuid,
  type Delivery,
  invalidArgument,
  type OutboxMessage,
  type Sql,
  uuidv7,
  writeOutbox,
} from '@stampede/platform'
import type { MemberState } from '@stampede/proto/events/v1'
import type { Context } from '../context.ts'
import { type BrandView, type CardState, DEFAULT_TEMPLATE_ID, emptyDetails, type MemberView } from '../domain/card.ts'
import { passEvent } from '../events.ts'
import { takeNumbers } from '../store/brand-state.ts'
import { insertPasses, type LockedCard, lockCards, type MemberUpdate, saveMembers } from '../store/cards.ts'
import { statusOf } from '../store/rows.ts'
import { announceChanges, type CardChange, cardState, googleObject, shownDesigns } from './announce.ts'
import { eventsByBrand } from './by-brand.ts'

interface MemberEvent extends MemberUpdate {
  readonly card: LockedCard
}

/** Creates the pass of each new member and follows what enrollment says about the others. */
export async function handleMembers(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const { brand, events } of eventsByBrand(context, batch)) {
    const updates = events.map((event) => {
      if (event.payload?.$case !== 'member') throw invalidArgument('payload', 'is no member')
      return { memberVersion: event.aggregateVersion, member: memberView(event.payload.value) }
    })
    await context.database.transaction((tx) => projectMembers(context, tx, brand, updates))
  }
  context.relay.wake()
}

function memberView(state: MemberState): MemberView {
  const status = statusOf(state.status)
  return {
    memberId: checkUuid(state.memberId, 'member_id'),
    cardNumber: state.cardNumber,
    status,
    locale: state.locale === '' ? 'en' : state.locale,
    marketingConsent: state.marketingConsent,
    // An erased member's name is gone, sealed or not.
    sealedName: status === 'erased' ? undefined : state.sealedFirstName,
  }
}

async function projectMembers(
  context: Context,
  tx: Sql,
  brand: BrandView,
  updates: readonly MemberUpdate[],
): Promise<void> {
  const now = context.clock.now()
  const cards = await lockCards(
    tx,
    brand.brand,
    updates.map((item) => item.member.memberId),
  )
  const cardOf = new Map(cards.map((card) => [card.memberId, card]))
  const events = updates.flatMap((item) => {
    const card = cardOf.get(item.member.memberId)
    return card === undefined ? [] : [{ ...item, card }]
  })
  const created = events.filter((event) => event.card.pass === undefined)
  const changed = events.filter(
    (event) => event.memberVersion > (event.card.pass?.memberVersion ?? event.memberVersion),
  )
  // New passes first, for they lock the brand: whoever gives messages to passes locks it before their rows, too.
  if (created.length > 0) await createPasses(context, tx, brand, created, now)
  if (changed.length > 0) {
    await saveMembers(tx, brand.brand, changed)
    await announceChanges(context, tx, brand, changed.flatMap(memberChange), now)
  }
}

function memberChange({ card, member, memberVersion }: MemberEvent): readonly CardChange[] {
  if (card.pass === undefined) return []
  const before = cardState(card, card.pass)
  const sourcesVersion = memberVersion + card.pass.detailsVersion + card.accountVersion + card.relevanceVersion
  return [{ pass: card.pass, before, after: { ...before, member }, sourcesVersion }]
}

async function createPasses(
  context: Context,
  tx: Sql,
  brand: BrandView,
  events: readonly MemberEvent[],
  now: Date,
): Promise<void> {
  const first = await takeNumbers(tx, brand.brand, events.length)
  const templateId = DEFAULT_TEMPLATE_ID
  const hasGoogle = brand.googleIssuerId !== ''
  const messages: OutboxMessage[] = []
  const numbers = events.map((_, index) => ({ no: first + BigInt(index), templateId }))
  const designOf = await shownDesigns(context, tx, brand.brand, numbers)
  const passes = events.map(({ card, member, memberVersion }, index) => {
    const serial = uuidv7(now.getTime())
    const no = first + BigInt(index)
    const { memberId, cardNumber } = member
    messages.push(
      passEvent(
        brand.brand,
        { memberId, serial, no, cardNumber, devices: 0, googleObject: hasGoogle, googleSaved: false },
        1n,
        now,
      ),
    )
    const { account, relevance } = card
    const state: CardState = { kind: 'member', member, account, relevance, details: emptyDetails }
    const sourcesVersion = memberVersion + card.accountVersion + card.relevanceVersion
    messages.push(
      ...googleObject(brand, designOf({ no, templateId }), { serial, templateId, state, sourcesVersion }, now),
    )
    const authToken = context.secrets.newAuthToken(brand.brand, serial)
    const { kind, details } = state
    return { no, serial, authToken, kind, templateId, memberVersion, member, details, detailsVersion: 0n }
  })
  await insertPasses(tx, brand.brand, passes, now)
  await writeOutbox(tx, messages)
}
