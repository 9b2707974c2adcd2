import { type OutboxMessage, type Sql, writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { BrandView, CardState } from '../domain/card.ts'
import type { Design } from '../domain/design.ts'
import { googleObjectId, googleObjectJson } from '../domain/google.ts'
import { visibleDigest } from '../domain/visible.ts'
import { googleWork, txChunks } from '../events.ts'
import { findBrandState } from '../store/brand-state.ts'
import { type LockedCard, type LockedPass, raisePasses } from '../store/cards.ts'
import { recipientsOf } from '../store/registrations.ts'

/** A member's card before and after a batch of events. */
export interface CardChange {
  readonly pass: LockedPass
  readonly before: CardState
  readonly after: CardState
  /** Grows with every event of any source that was applied to the card. */
  readonly sourcesVersion: bigint
}

/** The state of a locked card that has a pass. */
export function cardState(card: LockedCard, pass: LockedPass): CardState {
  return { member: pass.member, account: card.account, relevance: card.relevance }
}

/** A brand's present design and its version. */
export interface CurrentDesign {
  /** Undefined before the first template. */
  readonly design: Design | undefined
  readonly designVersion: bigint
}

/** The brand's present design. */
export async function currentDesign(context: Context, tx: Sql, brand: string): Promise<CurrentDesign> {
  const state = await findBrandState(tx, brand)
  const ready = await context.designs.get(brand, state?.template_version ?? 0)
  return { design: ready?.design, designVersion: state?.design_version ?? 0n }
}

/** The desired state of a card's Google object; none before the brand has an issuer and a design (its class). */
export function googleObject(
  brand: BrandView,
  { design, designVersion }: CurrentDesign,
  card: { readonly serial: string; readonly state: CardState; readonly sourcesVersion: bigint },
  now: Date,
): readonly OutboxMessage[] {
  if (brand.googleIssuerId === '' || design === undefined) return []
  const json = googleObjectJson(brand, design, card.state, card.serial)
  const resourceId = googleObjectId(brand, card.serial)
  const version = card.sourcesVersion + designVersion
  return [googleWork(brand, { kind: 'loyaltyObject', resourceId, version, json }, now)]
}

/**
 * Raises the version of each card that looks different now and wakes its phones: one push per device for the whole
 * batch. Google's objects follow whatever of theirs changed. Both looks are computed under one design, so that a new
 * design (which has a version of its own) is never mistaken for a change of the card.
 */
export async function announceChanges(
  context: Context,
  tx: Sql,
  brand: BrandView,
  changes: readonly CardChange[],
  now: Date,
): Promise<void> {
  if (changes.length === 0) return
  const current = await currentDesign(context, tx, brand.brand)
  const { design } = current
  const visible = changes.filter(
    ({ before, after }) => visibleDigest(design, brand, before) !== visibleDigest(design, brand, after),
  )
  const messages: OutboxMessage[] = []
  if (visible.length > 0) {
    const nos = visible.map((change) => change.pass.no)
    await raisePasses(tx, brand.brand, nos, now)
    const recipients = await recipientsOf(tx, brand.brand, nos)
    messages.push(...txChunks(brand, recipients, now))
    context.meters.visibleChanges.inc({ brand: brand.brand }, visible.length)
    context.meters.recipients.inc({ brand: brand.brand, lane: 'tx' }, recipients.length)
  }
  for (const change of changes) messages.push(...googleChange(brand, current, change, now))
  await writeOutbox(tx, messages)
}

function googleChange(
  brand: BrandView,
  current: CurrentDesign,
  { pass, before, after, sourcesVersion }: CardChange,
  now: Date,
): readonly OutboxMessage[] {
  const { design } = current
  if (design === undefined) return []
  const { serial } = pass
  if (googleObjectJson(brand, design, after, serial) === googleObjectJson(brand, design, before, serial)) return []
  return googleObject(brand, current, { serial, state: after, sourcesVersion }, now)
}
