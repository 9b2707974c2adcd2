import assert from 'node:assert/strict'
import { type BrandInfo, idempotencyConflict, notFound, StampedeError } from '@stampede/platform'
import { cancelAnswer, commitAnswer, holdAnswer, returnAnswer, saleAnswer } from '../answers.ts'
import { localTimeMs } from '../domain/calendar.ts'
import { type Command, type Decision, decide } from '../domain/decide.ts'
import { programmeAt } from '../domain/programme.ts'
import { earnedTerm, lifeEnd, restoreEnd } from '../domain/terms.ts'
import { noProgramme, refusalError } from '../refusals.ts'
import { accountText, brandIdText, pointsOf } from '../store/keys.ts'
import { naturalText } from '../store/receipts.ts'
import type { Item, ItemResult } from './item.ts'
import { naturalKeyOf } from './load.ts'
import { recordReceipt } from './record-receipt.ts'
import { answerText, type Cause, type WorkingAccount, type WorkingSet } from './working-set.ts'

/** Decides one item over the working set; a refused one leaves no trace in it. */
export function applyItem(set: WorkingSet, item: Item): ItemResult {
  try {
    return { ok: true, response: repeated(set, item) ?? applyNew(set, item) }
  } catch (error) {
    if (error instanceof StampedeError) return { ok: false, error }
    throw error
  }
}

/** Posts what time has done to an account. */
export function applySettle(set: WorkingSet, working: WorkingAccount): void {
  const decision = decide(working.account, { kind: 'settle' }, set)
  assert(decision.ok, 'time is never refused')
  const last = decision.postings.at(-1)
  if (last === undefined) return
  absorb(working, decision, {
    kind: last.kind,
    causeId: last.causeId,
    deltaAvailable: decision.account.available - working.account.available,
    eventTimeMs: last.occurredAtMs,
  })
}

/** The stored answer of a request that was done before; undefined for a new one. */
function repeated(set: WorkingSet, item: Item): Uint8Array | undefined {
  const answered = set.answers.get(answerText(item.brand, item.idempotencyKey))
  if (answered !== undefined) {
    if (!answered.bodyHash.equals(item.bodyHash) || answered.response === null) throw idempotencyConflict()
    return answered.response
  }
  const natural = naturalKeyOf(item, set.brands)
  const known = natural === undefined ? undefined : set.naturals.get(naturalText(natural))
  if (known === undefined) return undefined
  if (!known.bodyHash.equals(item.bodyHash) || known.response === null) {
    const field = item.request.kind === 'return' ? 'return_id' : 'number'
    throw new StampedeError('ALREADY_EXISTS', 'a receipt with these numbers was posted before', { field })
  }
  remember(set, item, known.response, known.causeId)
  return known.response
}

function applyNew(set: WorkingSet, item: Item): Uint8Array {
  const brand = set.brands.get(item.brand)
  if (brand === undefined) throw notFound()
  const working = set.accounts.get(accountText(pointsOf(item)))
  assert(working !== undefined, 'the account of every item was loaded')
  const command = toCommand(set, item, brand)
  const decision = decide(working.account, command, set)
  if (!decision.ok) throw refusalError(decision)
  const causeId = causeIdOf(command)
  const response = encodeAnswer(command, decision)
  const before = working.account.available
  absorb(working, decision, causeOf(command, decision, before, set.nowMs))
  const natural = recordReceipt(set, item, command, decision, brand)
  if (natural !== undefined) set.naturals.set(natural, { bodyHash: item.bodyHash, response, causeId })
  remember(set, item, response, causeId)
  return response
}

function toCommand(set: WorkingSet, item: Item, brand: BrandInfo): Command {
  const { request } = item
  switch (request.kind) {
    case 'sale': {
      const programme = programmeAt(set.programmes.get(item.brand) ?? [], request.occurredAtMs)
      if (programme === undefined) throw noProgramme()
      return {
        ...request,
        receiptId: receiptIdOf(set, request.occurredAtMs, brand),
        programme,
        earnedTerm: earnedTerm(programme, request.occurredAtMs, brand.timeZone),
        slidesToMs: programme.life.isSliding
          ? lifeEnd(programme.life, request.occurredAtMs, brand.timeZone)
          : undefined,
      }
    }
    case 'return': {
      const sale = set.sales.get(brandIdText(item.brand, request.saleId))
      if (sale === undefined || sale.memberId !== item.memberId) throw notFound()
      const versions = set.programmes.get(item.brand) ?? []
      const policies = versions.find(({ version }) => version === sale.programmeVersion)
      assert(policies !== undefined, 'the version of a sale is never forgotten')
      return {
        kind: 'return',
        receiptId: receiptIdOf(set, request.occurredAtMs, brand),
        occurredAtMs: request.occurredAtMs,
        sale: sale.record,
        lines: request.lines,
        policies,
        graceExpiresAtMs: restoreEnd(policies, set.nowMs, brand.timeZone),
      }
    }
    case 'hold': {
      const programme = programmeAt(set.programmes.get(item.brand) ?? [], set.nowMs)
      if (programme === undefined) throw noProgramme()
      const seconds = request.ttlSeconds === 0 ? programme.holdSeconds : request.ttlSeconds
      const { points, reference } = request
      return { kind: 'hold', holdId: set.newId(), points, reference, expiresAtMs: set.nowMs + seconds * 1_000 }
    }
    case 'commit':
    case 'cancel':
      return request
  }
}

/** The id of a receipt holds its local time, so that its business month can be read from it. */
function receiptIdOf(set: WorkingSet, occurredAtMs: number, { timeZone }: BrandInfo): string {
  return set.newId(Math.max(localTimeMs(occurredAtMs, timeZone), 0))
}

function causeIdOf(command: Command): string {
  switch (command.kind) {
    case 'sale':
    case 'return':
      return command.receiptId
    case 'hold':
    case 'commit':
    case 'cancel':
      return command.holdId
    case 'settle':
      return ''
  }
}

function causeOf(command: Command, decision: Decision, availableBefore: bigint, nowMs: number): Cause {
  const { outcome, account } = decision
  const spendOnly = outcome.kind === 'sale' && outcome.earned === 0n && outcome.spent > 0n
  const saleKind = spendOnly ? 'spend' : 'earn'
  return {
    kind: outcome.kind === 'sale' ? saleKind : outcome.kind,
    causeId: causeIdOf(command),
    deltaAvailable: account.available - availableBefore,
    eventTimeMs: 'occurredAtMs' in command ? command.occurredAtMs : nowMs,
  }
}

function encodeAnswer(command: Command, { outcome, account }: Decision): Uint8Array {
  switch (outcome.kind) {
    case 'sale':
      return saleAnswer(outcome, account)
    case 'return':
      return returnAnswer(causeIdOf(command), outcome, account)
    case 'hold':
      assert(command.kind === 'hold')
      return holdAnswer(command.holdId, command.expiresAtMs, account)
    case 'commit':
      return commitAnswer(account)
    case 'cancel':
      return cancelAnswer(account)
    case 'settle':
      throw new assert.AssertionError({ message: 'nobody asks to settle' })
  }
}

/** Takes a decision over into the account in work. */
function absorb(working: WorkingAccount, decision: Decision, cause: Cause): void {
  working.account = decision.account
  working.postings.push(...decision.postings)
  for (const lotId of decision.touchedLots) working.touchedLots.add(lotId)
  for (const holdId of decision.touchedHolds) working.touchedHolds.add(holdId)
  working.cause = cause
}

function remember(set: WorkingSet, item: Item, response: Uint8Array, causeId: string | null): void {
  const { brand, idempotencyKey: key, bodyHash, request } = item
  set.answers.set(answerText(brand, key), { bodyHash, response, causeId })
  set.newAnswers.push({
    brand,
    key,
    bodyHash,
    response,
    method: request.kind,
    causeId,
    createdAtMs: set.nowMs,
  })
}
