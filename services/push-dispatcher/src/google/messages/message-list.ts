import type { GoogleMessage } from '@stampede/proto/push/v1'
import { asJson, type GoogleKind, isReviewed, type Json } from '../resources/resource-json.ts'

/** Messages that Google keeps on a resource. */
export const MESSAGES_MAX = 10
/** Messages that are left when some have to go: so not every message costs two calls from then on. */
const MESSAGES_KEPT = 7
/** Marks our messages; those that others put there are never touched. */
const ID_PREFIX = 'stampede-'

/** A message id as it is at Google. */
export function wireId(messageId: string): string {
  return `${ID_PREFIX}${messageId}`
}

/** Body of addMessage. */
export function addBody(message: GoogleMessage, notifies: boolean): string {
  const { messageId, header, body, displayUntil } = message
  return JSON.stringify({
    message: {
      id: wireId(messageId),
      header,
      body,
      messageType: notifies ? 'TEXT_AND_NOTIFY' : 'TEXT',
      ...(displayUntil !== undefined && { displayInterval: { end: { date: displayUntil.toISOString() } } }),
    },
  })
}

/** The messages of a resource, as Google answered; of addMessage's answer too, which wraps it. */
export function messagesIn(answer: unknown): readonly Json[] {
  const resource = asJson(asJson(answer)?.['resource']) ?? asJson(answer)
  const messages = resource?.['messages']
  return Array.isArray(messages) ? messages.map((message) => asJson(message) ?? {}) : []
}

/** Whether a message is among them. */
export function hasMessage(messages: readonly Json[], messageId: string): boolean {
  return messages.some((message) => message['id'] === wireId(messageId))
}

/**
 * Body of the PATCH that makes room on a full resource: those of our messages go that are not shown any more, then the
 * oldest. Undefined when none is ours but the newest, `messageId`.
 */
export function pruneBody(
  kind: GoogleKind,
  messages: readonly Json[],
  messageId: string,
  nowMs: number,
): string | undefined {
  const ours = messages.filter(({ id }) => String(id).startsWith(ID_PREFIX) && id !== wireId(messageId))
  const [over, shown] = [ours.filter((message) => isOver(message, nowMs)), ours.filter((one) => !isOver(one, nowMs))]
  const gone = new Set([...over, ...shown].slice(0, Math.max(0, messages.length - MESSAGES_KEPT)))
  if (gone.size === 0) return undefined
  const left = messages.filter((message) => !gone.has(message))
  // Google refuses any later write of a class that does not ask for the review again.
  return JSON.stringify({ messages: left, ...(isReviewed(kind) && { reviewStatus: 'UNDER_REVIEW' }) })
}

function isOver(message: Json, nowMs: number): boolean {
  const end = asJson(asJson(message['displayInterval'])?.['end'])?.['date']
  return typeof end === 'string' && Date.parse(end) < nowMs
}
