/** What a request to the API server came to, when not to what was asked for. */
export type KubeErrorCode =
  /** The object, or its kind, does not exist (404). */
  | 'notFound'
  /** Create of what exists (409 AlreadyExists). */
  | 'alreadyExists'
  /** Another writer was faster, or owns the field (409). */
  | 'conflict'
  /** The resourceVersion or the continue token is too old (410): list again. */
  | 'gone'
  /** The server asks for patience (429, or 503 with Retry-After). */
  | 'tooManyRequests'
  /** The token is missing, wrong or expired (401). */
  | 'unauthorized'
  /** RBAC or admission says no (403). */
  | 'forbidden'
  /** The object breaks its schema or a CEL rule (400, 422). */
  | 'invalid'
  /** No answer in time, or no connection. */
  | 'unreachable'
  /** Any other answer: 5xx, or one that is no JSON. */
  | 'serverError'

/** The one exception of the kernel's requests. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly code: KubeErrorCode
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** How long the server wants us to wait, in milliseconds; undefined when it did not say. */
  readonly retryAfterMs: number | undefined

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.status = details.status ?? 0
    this.retryAfterMs = details.retryAfterMs
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return !['notFound', 'alreadyExists', 'forbidden', 'invalid'].includes(this.code)
  }
}

/** Optional parts of a KubeError. */
export interface KubeErrorDetails {
  readonly status?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/** Whether something thrown is a KubeError of that code. */
export function isKubeError(error: unknown, code: KubeErrorCode): boolean {
  return error instanceof KubeError && error.code === code
}

/** Longest wait that a Retry-After header is believed. */
const retryAfterMsMax = 60_000
/** Of an answer that is no Status, so much goes into the message. */
const excerptLength = 200

/** The answer of a failed request as an error: HTTP status, `Status` object of the body, Retry-After header. */
export function fromAnswer(status: number, body: string, retryAfter?: string): KubeError {
  const { reason, message } = parseStatus(body)
  return new KubeError(codeOf(status, reason, retryAfter), message, {
    status,
    retryAfterMs: parseRetryAfter(retryAfter),
  })
}

/** The `Status` object of an ERROR event in a watch. */
export function fromStatusObject(object: unknown): KubeError {
  const status = isRecord(object) && typeof object['code'] === 'number' ? object['code'] : 500
  return fromAnswer(status, JSON.stringify(object))
}

/** Whatever a socket or a deadline threw. */
export function fromTransport(error: unknown): KubeError {
  if (error instanceof KubeError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new KubeError('unreachable', `the API server is not reachable: ${text}`, { cause: error })
}

const codeByReason: Readonly<Record<string, KubeErrorCode>> = {
  AlreadyExists: 'alreadyExists',
  Expired: 'gone',
  Gone: 'gone',
  TooManyRequests: 'tooManyRequests',
}
const codeByStatus: Readonly<Record<number, KubeErrorCode>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  410: 'gone',
  422: 'invalid',
  429: 'tooManyRequests',
}

function codeOf(status: number, reason: string, retryAfter: string | undefined): KubeErrorCode {
  if (status === 503 && retryAfter !== undefined) return 'tooManyRequests'
  return codeByReason[reason] ?? codeByStatus[status] ?? 'serverError'
}

function parseStatus(body: string): { readonly reason: string; readonly message: string } {
  try {
    const parsed: unknown = JSON.parse(body)
    if (isRecord(parsed) && typeof parsed['message'] === 'string') {
      return { reason: typeof parsed['reason'] === 'string' ? parsed['reason'] : '', message: parsed['message'] }
    }
  } catch {
    // A proxy's page, or an answer cut short: its beginning is all there is to say.
  }
  return { reason: '', message: body.slice(0, excerptLength) || 'the answer was empty' }
}

/** Seconds only: the API server never sends a date here. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d+$/.test(header)) return undefined
  return Math.min(Number(header) * 1000, retryAfterMsMax)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
