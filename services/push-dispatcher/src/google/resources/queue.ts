import { fromNats, isWrongLastSequence, type Nats, subjects } from '@stampede/platform'
import { GoogleResult, type GoogleWork } from '@stampede/proto/push/v1'
import type { GoogleAnswer } from '../api/verdict.ts'
import type { WorkInHand } from './works.ts'

/** Longest reason of a result, in characters. */
const REASON_CHARACTERS_MAX = 100

/** Puts the result of a desired state on the stream; a repeat within two minutes is recognised. Throws UNAVAILABLE. */
export async function publishResult(
  nats: Nats,
  { brand, kind, resourceId, version }: GoogleWork,
  outcome: 'accepted' | 'rejected',
  answer: Pick<GoogleAnswer, 'status' | 'reason'>,
): Promise<void> {
  const reason = answer.reason.slice(0, REASON_CHARACTERS_MAX)
  const result: GoogleResult = {
    brand,
    kind,
    resourceId,
    version,
    outcome,
    status: answer.status,
    reason,
    at: new Date(),
  }
  const payload = GoogleResult.encode(result).finish()
  try {
    await nats.jetstream.publish(subjects.googleResult(brand), payload, { msgID: `${kind}/${resourceId}/${version}` })
  } catch (error) {
    throw fromNats(error)
  }
}

/**
 * Sends a work to the end of the queue, so that it holds nobody up; false when a newer state took its place already.
 * The stream keeps one message per subject: this one replaces the one in hand, in one step. Throws UNAVAILABLE.
 */
export async function sendToTheEnd(nats: Nats, { delivery }: WorkInHand): Promise<boolean> {
  try {
    const expect = { lastSubjectSequence: delivery.sequence }
    await nats.jetstream.publish(delivery.subject, delivery.data, { expect })
    return true
  } catch (error) {
    if (isWrongLastSequence(error)) return false
    throw fromNats(error)
  }
}
