import { type OutboxMessage, type Sql, writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import { type BrandView, type CardState, isOpen } from '../domain/card.ts'
import type { Design } from '../domain/design.ts'
import { googleObjectId, googleObjectJson, passTypeOf } from '../domain/google/index.ts'
import { shownBy } from '../domain/publication.ts'
import { visibleDigest } from '../domain/visible.ts'
import { googleWork, txChunks } from '../events.ts'
import { type LockedCard, type LockedPass, raisePasses } from '../store/cards.ts'
import { holdGoogleModes } from '../store/google-holders.ts'
import { hideMessages } from '../store/messages.ts'
import { findPublications } from '../store/publications.ts'
import { recipientsOf } from '../store/registrations.ts'

/** A member's card before and after a batch of events. */
export interface CardChange {
  readonly pass: LockedPass
  readonly before: CardState
  readonly after: CardState
  /** Grows with every event of any source that was applied to the card. */
  readonly sourcesVersion: bigint
  /** Template that the card shows from now on, where it changes. */
  readonly templateIdAfter?: string
  /** When the ledger recorded what is behind it; default: the ledger is not. */
  readonly causedAt?: Date | undefined
  /** Whether the card got a message of its own, which a phone shows beside the state. */
  readonly isNewMessage?: boolean
}

/** The state of a locked card that has a pass. */
export function cardState(card: LockedCard, pass: LockedPass): CardState {
  const { kind, member, details } = pass
  return { kind, member, account: card.account, relevance: card.relevance, details }
}

/** The design that a pass shows and its seq. */
export interface ShownDesign {
  /** Undefined before its template is published. */
  readonly design: Design | undefined
  readonly designVersion: bigint
}

/** A pass as far as its design is concerned. */
export interface DesignedPass {
  readonly no: bigint
  readonly templateId: string
}

/** Loads the designs that the passes show; answers with a look-up for them. */
export async function shownDesigns(
  context: Context,
  tx: Sql,
  brand: string,
  passes: readonly DesignedPass[],
): Promise<(pass: DesignedPass) => ShownDesign> {
  const ids = [...new Set(passes.map((pass) => pass.templateId))]
  const publications = new Map((await findPublications(tx, brand, ids)).map((item) => [item.templateId, item]))
  const loaded = new Map<string, Design | undefined>()
  const shown = (pass: DesignedPass) => shownBy(pass.no, publications.get(pass.templateId))
  for (const pass of passes) {
    const { version } = shown(pass)
    const key = `${pass.templateId}/${version}`
    if (!loaded.has(key)) loaded.set(key, (await context.designs.get(brand, pass.templateId, version))?.design)
  }
  return (pass) => {
    const { version, seq } = shown(pass)
    return { design: loaded.get(`${pass.templateId}/${version}`), designVersion: seq }
  }
}

/** The desired state of a card's Google object; none before the brand has an issuer and a design (its class). */
export function googleObject(
  brand: BrandView,
  { design, designVersion }: ShownDesign,
  card: GoogleCard,
  now: Date,
): readonly OutboxMessage[] {
  if (brand.googleIssuerId === '' || design === undefined) return []
  const { templateId, state, serial } = card
  const passType = passTypeOf(design.style)
  const json = googleObjectJson(brand, { design, templateId, state, serial })
  const resourceId = googleObjectId(brand, { templateId, passType }, serial)
  const version = card.sourcesVersion + designVersion
  return [googleWork(brand, { kind: `${passType}Object`, resourceId, version, json }, now)]
}

/** A card as far as its Google object is concerned. */
export interface GoogleCard {
  readonly serial: string
  readonly templateId: string
  readonly state: CardState
  readonly sourcesVersion: bigint
}

/**
 * Raises the version of each card that looks different now and wakes its phones: one push per device for the whole
 * batch. Google's objects follow whatever of theirs changed, and the messages of campaigns go with the consent. Both looks are computed under one design, so that a new
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
  const designOf = await shownDesigns(
    context,
    tx,
    brand.brand,
    changes.flatMap((change) => [change.pass, passAfter(change)]),
  )
  if (changes.some(becomesSilent)) await holdGoogleModes(tx, brand.brand)
  const hidden = await hideMessages(tx, brand.brand, changes.filter(losesMessages).map(noOf))
  const visible = changes.filter((change) => {
    const { pass, before, after, isNewMessage = false } = change
    if (isNewMessage || hidden.has(pass.no)) return true
    const shownBefore = visibleDigest(designOf(pass).design, brand, before)
    return shownBefore !== visibleDigest(designOf(passAfter(change)).design, brand, after)
  })
  const messages: OutboxMessage[] = []
  if (visible.length > 0) {
    const nos = visible.map((change) => change.pass.no)
    await raisePasses(tx, brand.brand, visible.map(raiseOf(designOf)), now)
    const recipients = await recipientsOf(tx, brand.brand, nos)
    messages.push(...txChunks(brand, recipients, now))
    context.meters.visibleChanges.inc({ brand: brand.brand }, visible.length)
    context.meters.recipients.inc({ brand: brand.brand, lane: 'tx' }, recipients.length)
  }
  for (const change of changes) messages.push(...googleChange(brand, designOf, change, now))
  await writeOutbox(tx, messages)
}

/** Whoever withdraws consent, or is erased, keeps no marketing on the card. */
function losesMessages({ before, after }: CardChange): boolean {
  return mayCarryMessages(before) && !mayCarryMessages(after)
}

function becomesSilent({ before, after }: CardChange): boolean {
  return isTellable(before) && !isTellable(after)
}

function isTellable(state: CardState): boolean {
  return state.member.marketingConsent && isOpen(state)
}

function mayCarryMessages({ member }: CardState): boolean {
  return member.marketingConsent && member.status !== 'erased'
}

function noOf({ pass }: CardChange): bigint {
  return pass.no
}

function passAfter({ pass, templateIdAfter }: CardChange): DesignedPass {
  return { no: pass.no, templateId: templateIdAfter ?? pass.templateId }
}

/** A card that moves to a template of a lower seq is raised by the difference too: what its phone compares only grows. */
function raiseOf(designOf: (pass: DesignedPass) => ShownDesign) {
  return (change: CardChange) => {
    const lost = designOf(change.pass).designVersion - designOf(passAfter(change)).designVersion
    return { no: change.pass.no, by: lost > 0n ? lost + 1n : 1n, causedAt: change.causedAt }
  }
}

/** What Google's object of a card shall be now; one that the card leaves behind with its template is over. */
function googleChange(
  brand: BrandView,
  designOf: (pass: DesignedPass) => ShownDesign,
  change: CardChange,
  now: Date,
): readonly OutboxMessage[] {
  const { pass, before, after, sourcesVersion } = change
  const { serial } = pass
  const [left, current] = [designOf(pass), designOf(passAfter(change))]
  if (left.design === undefined || current.design === undefined) return []
  const { templateId } = passAfter(change)
  const jsonBefore = googleObjectJson(brand, {
    design: left.design,
    templateId: pass.templateId,
    state: before,
    serial,
  })
  const json = googleObjectJson(brand, { design: current.design, templateId, state: after, serial })
  if (json === jsonBefore) return []
  const written = googleObject(brand, current, { serial, templateId, state: after, sourcesVersion }, now)
  if (idOf(brand, left.design, pass.templateId, serial) === idOf(brand, current.design, templateId, serial))
    return written
  const details = { ...before.details, lifecycle: 'replaced' as const }
  const over = { serial, templateId: pass.templateId, state: { ...before, details }, sourcesVersion }
  return [...googleObject(brand, left, over, now), ...written]
}

function idOf(brand: BrandView, design: Design, templateId: string, serial: string): string {
  return googleObjectId(brand, { templateId, passType: passTypeOf(design.style) }, serial)
}
