/** An answer of Google Wallet or of its token endpoint. */
export interface GoogleAnswer {
  /** HTTP status; 0 when none came. */
  readonly status: number
  /** `error.errors[0].reason`, else `error.status`, or OAuth's `error`; empty when not told. */
  readonly reason: string
  /** `error.message`; empty when not told. May quote a resource: never logged, never published. */
  readonly message: string
  /** Wait that the answer asks for, in milliseconds; 0 when it does not. */
  readonly retryAfterMs: number
}

/** The two ways to write a resource: POST when it is new, PATCH when it exists. */
export type WriteCall = 'insert' | 'patch'

/** What stands in the way of a write that is worth another attempt. */
export type Obstacle =
  /** Google does not answer or has trouble of its own. */
  | 'google'
  /** The issuer sends too fast: all of its calls would fail alike. */
  | 'issuer'
  /** The class of the object is not there yet. */
  | 'class'
  /** Only this resource gives way. */
  | 'resource'

/** What to do after an answer. */
export type Verdict =
  | { readonly kind: 'accepted' }
  /** The resource exists, or does not: the other call is due. */
  | { readonly kind: 'call'; readonly call: WriteCall }
  /** The holders of the resource were notified too often. */
  | { readonly kind: 'quota' }
  | { readonly kind: 'later'; readonly obstacle: Obstacle }
  /** Refused for good. */
  | { readonly kind: 'rejected' }

/** Reasons of 403 that mean speed. */
const rateReasons: ReadonlySet<string> = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RESOURCE_EXHAUSTED'])
/** Reason of 403 that mostly means too many notifications of one resource. Any other 403 means permission. */
const QUOTA_REASON = 'quotaExceeded'
const classMissingReason = /class.?not.?found/i
const classMissingMessage = /\bclass\b.*\b(not found|does not exist|not exist|missing)\b/i

/** Decides about a write by kind, call, status and reason; pure. */
export function verdictOf(kind: string, call: WriteCall, answer: GoogleAnswer): Verdict {
  const { status } = answer
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  if (status === 409 && call === 'insert') return { kind: 'call', call: 'patch' }
  if (isClassMissing(kind, call, answer)) return { kind: 'later', obstacle: 'class' }
  if (status === 404 && call === 'patch') return { kind: 'call', call: 'insert' }
  if (isTooFast(answer)) return { kind: 'later', obstacle: 'issuer' }
  if (isQuotaExceeded(answer)) return { kind: 'quota' }
  // 401: a new token did not help. 409 to a patch: a write that collided with another.
  if (status === 401 || status === 409) return { kind: 'later', obstacle: 'resource' }
  return mayPassAtGoogle(answer) ? { kind: 'later', obstacle: 'google' } : { kind: 'rejected' }
}

/** Whether the issuer sends too fast. */
export function isTooFast({ status, reason }: GoogleAnswer): boolean {
  return status === 429 || (status === 403 && rateReasons.has(reason))
}

/** Whether the holders of a resource were notified too often. */
export function isQuotaExceeded({ status, reason }: GoogleAnswer): boolean {
  return status === 403 && reason === QUOTA_REASON
}

/** Whether Google has trouble of its own, or did not answer: then the call may have had its effect. */
export function mayPassAtGoogle({ status }: GoogleAnswer): boolean {
  return status === 0 || status === 408 || status >= 500
}

function isClassMissing(kind: string, call: WriteCall, { status, reason, message }: GoogleAnswer): boolean {
  if (!kind.endsWith('Object')) return false
  if (status === 404 && call === 'insert') return true
  if (status !== 400 && status !== 404) return false
  return classMissingReason.test(reason) || classMissingMessage.test(message)
}
