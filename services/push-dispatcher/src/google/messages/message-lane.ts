import {
  type BrandDirectory,
  type Clock,
  type ControlDirectory,
  type Credentials,
  type Logger,
  type Nats,
  planGoogleMessage,
} from '@stampede/platform'
import { type GoogleMessage, GoogleMessageOutcome } from '@stampede/proto/push/v1'
import type { Handled } from '../../jobs/work-reader.ts'
import type { ApiParts } from '../api/call-api.ts'
import { type GoogleMetrics, outcomeLabel } from '../metrics.ts'
import { publishMessageResult, RESULT_RECIPIENTS_MAX } from './message-results.ts'
import { MessageRun } from './message-run.ts'
import { decodeMessage, messageRefusal, recipientsOf } from './message-works.ts'
import { type RecipientEnd, sendToRecipient } from './recipient-send.ts'
import { SendGuard } from './send-guard.ts'
import type { SentBook } from './sent-book.ts'

/** Wait for an account that is missing, in milliseconds. */
const CREDENTIAL_MS = 5_000
/** Wait while the broker does not answer, in milliseconds. */
const BROKER_MS = 2_000

/** What the messages of all issuers share. */
export interface MessageParts extends ApiParts {
  readonly nats: Nats
  readonly brands: BrandDirectory
  readonly credentials: Credentials
  readonly control: ControlDirectory
  readonly book: SentBook
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: GoogleMetrics
  /** Calls per second that Google grants an issuer. */
  readonly perSecond: number
  readonly stopping: AbortSignal
}

/** Sends one message of an issuer's queue to its recipients, until each has an outcome. */
export async function handleMessage(data: Uint8Array, issuer: string, parts: MessageParts): Promise<Handled> {
  const message = decodeMessage(data)
  if (message === undefined) return { kind: 'poison', reason: 'not a GoogleMessage' }
  try {
    const refusal = messageRefusal(message, issuer) ?? brandRefusal(message, parts)
    if (refusal !== undefined) return await reject(message, refusal, parts)
    const hasAccount = parts.credentials.google(message.brand) !== undefined
    const isLate = Date.now() >= deadlineOf(message)
    // An account may come in time; others of the queue go first.
    if (!hasAccount && !isLate) return { kind: 'later', delayMs: CREDENTIAL_MS }
    return (await send(message, parts)) ? { kind: 'done' } : { kind: 'later', delayMs: 0 }
  } catch (error) {
    parts.logger.warn({ err: error, brand: message.brand, messageId: message.messageId }, 'a Google message waits')
    return { kind: 'later', delayMs: BROKER_MS }
  }
}

async function send(message: GoogleMessage, parts: MessageParts): Promise<boolean> {
  const { brand, issuerId, campaignId, messageId, objectIds } = message
  const { nats, stopping, control, credentials, metrics, logger } = parts
  using guard = new SendGuard({
    expiresAtMs: deadlineOf(message),
    stopping,
    control: () => (campaignId === '' ? undefined : control.get(brand, campaignId)),
  })
  const sendParts = {
    ...parts,
    message,
    guard,
    lane: objectIds.length === 0 ? ('urgent' as const) : ('bulk' as const),
    credential: () => credentials.google(brand),
  }
  warnOfRemainder(message, parts)
  const run = new MessageRun({
    nats,
    message,
    stopping,
    send: (recipient) => sendToRecipient(recipient, sendParts),
    ended: ({ outcome }) => metrics.recipients.inc({ brand, outcome: outcomeLabel(outcome) }),
    failed: ({ kind }, cause) => logger.warn({ brand, messageId, kind, cause }, 'a Google message has to wait'),
    waiting: (change) => metrics.waiting.inc({ issuer: issuerId }, change),
  })
  // The guard must outlast the run.
  return await run.run()
}

/** Says at once what the results will say in the end. */
function warnOfRemainder(message: GoogleMessage, { perSecond, logger }: MessageParts): void {
  const { brand, messageId, objectIds } = message
  const withinSeconds = (deadlineOf(message) - Date.now()) / 1_000
  if (objectIds.length === 0 || withinSeconds <= 0) return
  const plan = planGoogleMessage({ target: 'objects', holders: objectIds.length, perSecond, withinSeconds })
  if (!plan.fits) logger.warn({ brand, messageId, ...plan }, 'a Google message will not reach everybody in time')
}

/** A brand's account is used for the brand's own issuer only. */
function brandRefusal({ brand, issuerId }: GoogleMessage, { brands }: MessageParts): string | undefined {
  const info = brands.get(brand)
  return info === undefined || info.googleIssuerId === issuerId ? undefined : 'issuerNotOfBrand'
}

async function reject(
  message: GoogleMessage,
  reason: string,
  { nats, metrics, logger }: MessageParts,
): Promise<Handled> {
  const { brand, messageId } = message
  logger.error({ brand, messageId, reason }, 'a Google message is refused')
  const end: RecipientEnd = { outcome: GoogleMessageOutcome.GOOGLE_MESSAGE_OUTCOME_REJECTED, reason }
  const total = recipientsOf(message).length
  for (let first = 0; first < total; first += RESULT_RECIPIENTS_MAX) {
    const ends = Array.from({ length: Math.min(RESULT_RECIPIENTS_MAX, total - first) }, () => end)
    await publishMessageResult(nats, message, first, ends)
  }
  metrics.recipients.inc({ brand, outcome: outcomeLabel(end.outcome) }, total)
  return { kind: 'done' }
}

function deadlineOf({ expiresAt }: GoogleMessage): number {
  return expiresAt?.getTime() ?? 0
}
