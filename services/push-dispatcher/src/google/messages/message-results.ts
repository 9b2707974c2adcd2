import { fromNats, type Nats, subjects } from '@stampede/platform'
import { type GoogleMessage, GoogleMessageResult } from '@stampede/proto/push/v1'
import type { RecipientEnd } from './recipient-send.ts'

/** Recipients of one result at most. */
export const RESULT_RECIPIENTS_MAX = 500
/** Longest reason of a result, in characters. */
const REASON_CHARACTERS_MAX = 100

/** Puts what became of some recipients on the stream; `first` is the place of the first of them. Throws UNAVAILABLE. */
export async function publishMessageResult(
  nats: Nats,
  message: GoogleMessage,
  first: number,
  ends: readonly RecipientEnd[],
): Promise<void> {
  const { messageId, brand, campaignId, classId, issuerId, objectIds } = message
  const reasons = new Map([['', 0]])
  const reasonIndex = ends.map(({ reason }) => indexIn(reasons, reason.slice(0, REASON_CHARACTERS_MAX)))
  const result: GoogleMessageResult = {
    messageId,
    brand,
    campaignId,
    classId,
    first,
    total: Math.max(1, objectIds.length),
    resourceIds: objectIds.length === 0 ? [classId] : objectIds.slice(first, first + ends.length),
    outcomes: ends.map(({ outcome }) => outcome),
    reasons: [...reasons.keys()],
    reasonIndex,
    finishedAt: new Date(),
  }
  const payload = GoogleMessageResult.encode(result).finish()
  try {
    const msgID = `google-message/${issuerId}/${messageId}/${first}`
    await nats.jetstream.publish(subjects.googleMessageResult(brand), payload, { msgID })
  } catch (error) {
    throw fromNats(error)
  }
}

function indexIn(reasons: Map<string, number>, reason: string): number {
  const known = reasons.get(reason) ?? reasons.size
  reasons.set(reason, known)
  return known
}
