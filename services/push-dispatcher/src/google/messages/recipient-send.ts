import type { Clock, GoogleCredential } from '@stampede/platform'
import { type GoogleMessage, GoogleMessageOutcome } from '@stampede/proto/push/v1'
import { type ApiEnd, type ApiParts, callApi } from '../api/call-api.ts'
import { type GoogleAnswer, isQuotaExceeded, isTooFast, mayPassAtGoogle } from '../api/verdict.ts'
import type { HeldClaim } from '../claim.ts'
import type { Lane } from '../quota/turn-queue.ts'
import type { Json } from '../resources/resource-json.ts'
import { addBody, hasMessage, MESSAGES_MAX, messagesIn, pruneBody } from './message-list.ts'
import type { SendGuard } from './send-guard.ts'
import type { Recipient, SentBook } from './sent-book.ts'

/** Wait while another message of the recipient is under way, in milliseconds. */
const BUSY_MS = 250
/** Wait during a pause of the campaign, in milliseconds. */
const PAUSED_MS = 500
/** A call without an answer may still have its effect; before it is asked for, it gets so long, in milliseconds. */
const SETTLE_MS = 3_000
/** Reason when our own account says that a pass was notified often enough. */
const NOTIFIED_OFTEN = 'notifiedOften'

/** What became of a recipient. */
export interface RecipientEnd {
  readonly outcome: GoogleMessageOutcome
  readonly reason: string
}

/** How a try ended. */
export type SendStep =
  | ({ readonly kind: 'end' } & RecipientEnd)
  /** It is not its turn yet. */
  | { readonly kind: 'wait'; readonly afterMs: number }
  /** It failed, and may work after so many milliseconds at least. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly cause: string }
  /** This process ends; another one goes on. */
  | { readonly kind: 'stopped' }

/** What a message is sent with. */
export interface SendParts extends ApiParts {
  readonly message: GoogleMessage
  /** The brand's account, while it has one. */
  credential(): GoogleCredential | undefined
  readonly lane: Lane
  readonly book: SentBook
  readonly guard: SendGuard
  readonly clock: Clock
}

/** A message that is booked for a recipient, and on which nobody else works. */
interface Try {
  readonly recipient: Recipient
  readonly held: HeldClaim
  readonly notifies: boolean
}

/**
 * Tries to give a message to a recipient. addMessage has no idempotency key and a second one would ring twice, so it is
 * made only where it is certain that Google does not have the message: what may have been tried before, by whichever
 * replica, is looked up first. Throws UNAVAILABLE without a broker.
 */
export async function sendToRecipient(recipient: Recipient, parts: SendParts): Promise<SendStep> {
  const { message, guard } = parts
  const { state } = guard
  if (state === 'stopping') return { kind: 'stopped' }
  if (state === 'paused') return wait(PAUSED_MS)
  const mayAdd = state === 'open'
  const begun = await begin(recipient, mayAdd, parts)
  switch (begun.kind) {
    case 'done':
      return arrived(message, begun.notifies, '')
    case 'busy':
      return guard.isOver ? end('UNKNOWN', 'busy') : wait(BUSY_MS)
    case 'untried':
      return unsent(parts)
    case 'quota':
      return end('QUOTA', NOTIFIED_OFTEN)
    case 'begun': {
      const { held, notifies } = begun
      return begun.tried
        ? lookFirst({ recipient, held, notifies }, mayAdd, parts)
        : add({ recipient, held, notifies }, parts)
    }
  }
}

async function begin(recipient: Recipient, mayAdd: boolean, { message, book }: SendParts) {
  const { messageId, notify, silentFallback } = message
  const begun = await book.begin(recipient, messageId, { notify, mayAdd })
  if (begun.kind !== 'quota' || !silentFallback) return begun
  return book.begin(recipient, messageId, { notify: false, mayAdd })
}

/** Asks whether the message is there already; goes on when it is not. */
async function lookFirst(attempt: Try, mayAdd: boolean, parts: SendParts): Promise<SendStep> {
  const { message, book, guard } = parts
  const { recipient, held, notifies } = attempt
  const found = await look(attempt, parts)
  if (found.kind === 'later') {
    await book.putBack(held)
    if (guard.state === 'stopping') return { kind: 'stopped' }
    return guard.isOver ? end('UNKNOWN', found.cause) : retry(found.cause)
  }
  if (found.kind === 'missing') return giveUp(attempt, parts, end('REJECTED', found.cause))
  if (hasMessage(found.messages, message.messageId)) return settle(attempt, found.messages, parts)
  if (!mayAdd) return giveUp(attempt, parts, unsent(parts))
  if (await book.rebook(recipient, held, message.messageId, notifies)) return add(attempt, parts)
  return quiet(attempt, NOTIFIED_OFTEN, parts)
}

/** Adds the message, which certainly is not there. */
async function add(attempt: Try, parts: SendParts, mayPrune = true): Promise<SendStep> {
  const { message, book, guard } = parts
  const body = addBody(message, attempt.notifies)
  const called = await call('POST', '/addMessage', body, attempt, guard.signal, parts)
  if (called.kind === 'no-turn')
    return giveUp(attempt, parts, guard.state === 'stopping' ? { kind: 'stopped' } : wait(0))
  if (called.kind === 'no-token') return giveUp(attempt, parts, retry(called.answer.reason))
  const { answer } = called
  const { status, reason } = answer
  if (status >= 200 && status < 300) return settle(attempt, messagesIn(answer.json), parts)
  if (mayPassAtGoogle(answer) || status === 409) {
    await book.putBack(attempt.held)
    return retry(`${status} ${reason}`, answer.retryAfterMs)
  }
  if (isTooFast(answer)) return giveUp(attempt, parts, wait(0))
  if (isQuotaExceeded(answer)) return quiet(attempt, reason, parts)
  if (status === 401) return giveUp(attempt, parts, retry(reason))
  if (status === 400 && mayPrune) return addAfterPruning(attempt, answer, parts)
  return giveUp(attempt, parts, end('REJECTED', reason === '' ? String(status) : reason))
}

/** A resource that is full refuses a message like a malformed one. */
async function addAfterPruning(attempt: Try, refused: GoogleAnswer, parts: SendParts): Promise<SendStep> {
  const found = await look(attempt, parts)
  if (found.kind === 'later') return giveUp(attempt, parts, retry(found.cause))
  const isFull = found.kind === 'found' && found.messages.length >= MESSAGES_MAX
  if (!isFull) return giveUp(attempt, parts, end('REJECTED', refused.reason))
  if (await prune(attempt, found.messages, parts)) return add(attempt, parts, false)
  return giveUp(attempt, parts, end('REJECTED', 'messagesFull'))
}

/** The holder was told too often today: the message comes silently, if that is wanted. */
async function quiet(attempt: Try, reason: string, parts: SendParts): Promise<SendStep> {
  const { message, book } = parts
  const { recipient, held, notifies } = attempt
  const maySilently = notifies && message.silentFallback
  if (maySilently && (await book.rebook(recipient, held, message.messageId, false)))
    return add({ ...attempt, notifies: false }, parts)
  return giveUp(attempt, parts, end('QUOTA', reason))
}

/** The message is there. What it leaves no room for is removed now, so that the next one finds room. */
async function settle(attempt: Try, messages: readonly Json[], parts: SendParts): Promise<SendStep> {
  const { message, book } = parts
  if (messages.length >= MESSAGES_MAX) await prune(attempt, messages, parts)
  await book.settle(attempt.held, message.messageId, attempt.notifies)
  return arrived(message, attempt.notifies, NOTIFIED_OFTEN)
}

async function giveUp(attempt: Try, { message, book }: SendParts, step: SendStep): Promise<SendStep> {
  await book.forget(attempt.held, message.messageId)
  return step
}

async function prune(attempt: Try, messages: readonly Json[], parts: SendParts): Promise<boolean> {
  const body = pruneBody(attempt.recipient.kind, messages, parts.message.messageId, parts.clock.nowMs())
  if (body === undefined) return false
  const called = await call('PATCH', '', body, attempt, parts.guard.stopping, parts)
  return called.kind === 'answered' && called.answer.status === 200
}

type Found =
  | { readonly kind: 'found'; readonly messages: readonly Json[] }
  | { readonly kind: 'missing'; readonly cause: string }
  | { readonly kind: 'later'; readonly cause: string }

async function look(attempt: Try, parts: SendParts): Promise<Found> {
  const called = await call('GET', '', '', attempt, parts.guard.stopping, parts)
  if (called.kind === 'no-turn') return { kind: 'later', cause: '' }
  const { answer } = called
  if (called.kind === 'answered' && answer.status === 200) {
    return { kind: 'found', messages: messagesIn(called.answer.json) }
  }
  const cause = answer.reason === '' ? String(answer.status) : answer.reason
  return answer.status === 404 ? { kind: 'missing', cause } : { kind: 'later', cause }
}

function call(
  method: 'GET' | 'POST' | 'PATCH',
  action: string,
  body: string,
  { recipient, held }: Try,
  signal: AbortSignal,
  parts: SendParts,
): Promise<ApiEnd> {
  const { message, credential, lane } = parts
  const path = `${recipient.kind}/${encodeURIComponent(recipient.id)}${action}`
  const caller = { issuer: message.issuerId, credential: credential(), lane, hold: held, signal }
  return callApi({ method, path, body }, caller, parts)
}

function wait(afterMs: number): SendStep {
  return { kind: 'wait', afterMs }
}

function retry(cause: string, atLeastMs = 0): SendStep {
  return { kind: 'retry', cause, afterMs: Math.max(SETTLE_MS, atLeastMs) }
}

type OutcomeName<Name = keyof typeof GoogleMessageOutcome> = Name extends `GOOGLE_MESSAGE_OUTCOME_${infer Short}`
  ? Short
  : never

function end(name: OutcomeName, reason: string): SendStep {
  return { kind: 'end', outcome: GoogleMessageOutcome[`GOOGLE_MESSAGE_OUTCOME_${name}`], reason }
}

function arrived({ notify }: GoogleMessage, notified: boolean, reason: string): SendStep {
  return notify && !notified ? end('SILENT', reason) : end('ACCEPTED', '')
}

function unsent({ guard }: SendParts): SendStep {
  return guard.state === 'aborted' ? end('ABORTED', '') : end('EXPIRED', '')
}
