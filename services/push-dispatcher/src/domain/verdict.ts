/** What to do with a push after an answer of APNs. */
export type Verdict =
  /** Taken over by Apple. */
  | { readonly kind: 'accepted' }
  /** Worth another attempt. */
  | { readonly kind: 'retry'; readonly scope: 'token' | 'pool'; readonly delayMs: number }
  /** The registration is dead; since when APNs knows it, 0 when not told. */
  | { readonly kind: 'dead'; readonly deadSinceMs: number }
  /** Refused for good, and only this push is to blame. */
  | { readonly kind: 'reject' }
  /** Every further push of the brand would be refused likewise: stop and call a human. */
  | { readonly kind: 'stop' }

/** What an answer of APNs tells besides its status. */
export interface AnswerDetails {
  /** Reason of the JSON body; empty with 200 and when none was told. */
  readonly reason: string
  /** Unix milliseconds of the JSON body, told with 410 only; else 0. */
  readonly timestampMs: number
  /** Wait that the answer asks for, in milliseconds; 0 when it does not. */
  readonly retryAfterMs: number
}

/** One answer of APNs. */
export interface ApnsAnswer extends AnswerDetails {
  /** HTTP status. */
  readonly status: number
}

/** First delay after a refusal that concerns one token, in milliseconds. */
const TOKEN_RETRY_MS = 1_000
/** First delay after a refusal that concerns the whole service, in milliseconds. */
const POOL_RETRY_MS = 1_000

type Rule = 'retry-now' | 'retry-token' | 'retry-pool' | 'dead' | 'reject' | 'stop'

/** Keyed by status and reason, never by status alone: 400 and 403 each mean opposite things. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['400 BadDeviceToken', 'dead'],
  ['400 DeviceTokenNotForTopic', 'reject'],
  ['400 IdleTimeout', 'retry-now'],
  ...stopping(400, [
    'BadCollapseId',
    'BadExpirationDate',
    'BadMessageId',
    'BadPriority',
    'BadTopic',
    'DuplicateHeaders',
    'InvalidPushType',
    'MissingDeviceToken',
    'MissingTopic',
    'PayloadEmpty',
    'TopicDisallowed',
  ]),
  ...stopping(403, [
    'BadCertificate',
    'BadCertificateEnvironment',
    'Forbidden',
    // With a client certificate these mean that it was not taken as one.
    'ExpiredProviderToken',
    'InvalidProviderToken',
    'MissingProviderToken',
    'UnrelatedKeyIdInToken',
    'BadEnvironmentKeyIdInToken',
  ]),
  ['404 BadPath', 'reject'],
  ['405 MethodNotAllowed', 'reject'],
  ['413 PayloadTooLarge', 'reject'],
  ['429 TooManyRequests', 'retry-token'],
  ['429 TooManyProviderTokenUpdates', 'retry-pool'],
  ['500 InternalServerError', 'retry-pool'],
  ['503 ServiceUnavailable', 'retry-pool'],
  ['503 Shutdown', 'retry-pool'],
])

function stopping(status: number, reasons: readonly string[]): readonly (readonly [string, Rule])[] {
  return reasons.map((reason) => [`${status} ${reason}`, 'stop'] as const)
}

/** Whether a pair of status and reason is in Apple's table; what is not gets a metric of its own. */
export function isKnownAnswer(status: number, reason: string): boolean {
  return status === 200 || status === 410 || rules.has(`${status} ${reason}`)
}

/** Reasons that metrics tell apart: Apple's, and our own for what has none of hers. */
const labels: ReadonlySet<string> = new Set([
  ...[...rules.keys()].map((key) => key.slice(key.indexOf(' ') + 1)),
  'Unregistered',
  'ExpiredToken',
  'NoAnswer',
  'MalformedToken',
  'Expired',
  'Aborted',
])

/** A reason as the label of a metric: what is not known by name is `other`. */
export function reasonLabel(reason: string): string {
  return labels.has(reason) ? reason : 'other'
}

/** Decides what becomes of a push. An unknown 4xx is final; an unknown 5xx is the service's trouble. */
export function verdictOf(answer: ApnsAnswer): Verdict {
  if (answer.status === 200) return { kind: 'accepted' }
  // 410 is dead under each of its reasons, an empty one included.
  if (answer.status === 410) return { kind: 'dead', deadSinceMs: answer.timestampMs }
  const rule = rules.get(`${answer.status} ${answer.reason}`) ?? fallbackRule(answer.status)
  switch (rule) {
    case 'dead':
      return { kind: 'dead', deadSinceMs: answer.timestampMs }
    case 'retry-now':
      return { kind: 'retry', scope: 'token', delayMs: answer.retryAfterMs }
    case 'retry-token':
      return { kind: 'retry', scope: 'token', delayMs: Math.max(TOKEN_RETRY_MS, answer.retryAfterMs) }
    case 'retry-pool':
      return { kind: 'retry', scope: 'pool', delayMs: Math.max(POOL_RETRY_MS, answer.retryAfterMs) }
    case 'reject':
      return { kind: 'reject' }
    case 'stop':
      return { kind: 'stop' }
  }
}

function fallbackRule(status: number): Rule {
  if (status === 429) return 'retry-token'
  return status >= 500 ? 'retry-pool' : 'reject'
}

/** Whether the reason of a GOAWAY says that our credential is not accepted. */
export function isCredentialReason(reason: string): boolean {
  return rules.get(`403 ${reason}`) === 'stop'
}

/** Whether an error code of OpenSSL says that the peer refused our certificate in the handshake. */
export function isTlsRefusal(code: string): boolean {
  return code.includes('_ALERT_') && /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/.test(code)
}
