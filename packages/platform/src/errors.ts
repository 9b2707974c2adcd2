import { status } from '@grpc/grpc-js'

/** What went wrong, as callers see it. Kept for ever: a code may be added, never renamed. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'IDEMPOTENCY_CONFLICT'
  | 'FAILED_PRECONDITION'
  | 'INSUFFICIENT_POINTS'
  | 'HOLD_EXPIRED'
  | 'HOLD_RESOLVED'
  | 'RETURN_EXCEEDS_SALE'
  | 'COUPON_INVALID'
  | 'COUPON_USED'
  | 'COUPON_BUDGET_SPENT'
  | 'OUT_OF_STOCK'
  | 'GIFT_CARD_INVALID'
  | 'GIFT_CARD_INSUFFICIENT'
  | 'FAVOURITE_CHANGED_TODAY'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'INTERNAL'

/** One row of the error table. */
export interface ErrorRow {
  /** Status of the gRPC answer. */
  readonly grpcStatus: number
  /** Status of the HTTP answer. */
  readonly httpStatus: number
  /** Whether the same request may succeed later (with the same idempotency key, if it writes). */
  readonly retryable: boolean
  /** Said where no better text is known. */
  readonly text: string
}

/** The error table: the one place that knows how a code looks on each wire. */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = {
  INVALID_ARGUMENT: row(status.INVALID_ARGUMENT, 400, false, 'the request is not valid'),
  UNAUTHENTICATED: row(status.UNAUTHENTICATED, 401, false, 'the API key is missing or unknown'),
  PERMISSION_DENIED: row(status.PERMISSION_DENIED, 403, false, 'the role of this API key may not do that'),
  NOT_FOUND: row(status.NOT_FOUND, 404, false, 'not found'),
  ALREADY_EXISTS: row(status.ALREADY_EXISTS, 409, false, 'it exists already'),
  IDEMPOTENCY_CONFLICT: row(
    status.ALREADY_EXISTS,
    409,
    false,
    'the idempotency key was used before with a different request',
  ),
  FAILED_PRECONDITION: row(status.FAILED_PRECONDITION, 409, false, 'the present state does not allow that'),
  INSUFFICIENT_POINTS: row(status.FAILED_PRECONDITION, 409, false, 'not enough points are available'),
  HOLD_EXPIRED: row(status.FAILED_PRECONDITION, 409, false, 'the hold has expired'),
  HOLD_RESOLVED: row(status.FAILED_PRECONDITION, 409, false, 'the hold was committed or cancelled before'),
  RETURN_EXCEEDS_SALE: row(status.FAILED_PRECONDITION, 409, false, 'more is returned than was sold'),
  OUT_OF_STOCK: row(status.FAILED_PRECONDITION, 409, false, 'there are not so many left'),
  COUPON_INVALID: row(status.FAILED_PRECONDITION, 409, false, 'this code is not valid'),
  COUPON_USED: row(status.FAILED_PRECONDITION, 409, false, 'this coupon was used'),
  COUPON_BUDGET_SPENT: row(status.FAILED_PRECONDITION, 409, false, 'the campaign has given what it may give'),
  GIFT_CARD_INVALID: row(status.FAILED_PRECONDITION, 409, false, 'this gift card is not valid'),
  GIFT_CARD_INSUFFICIENT: row(status.FAILED_PRECONDITION, 409, false, 'there is not so much on the gift card'),
  FAVOURITE_CHANGED_TODAY: row(status.FAILED_PRECONDITION, 409, false, 'the favourite was changed today, try tomorrow'),
  RESOURCE_EXHAUSTED: row(status.RESOURCE_EXHAUSTED, 429, true, 'a limit is reached, try again later'),
  UNAVAILABLE: row(status.UNAVAILABLE, 503, true, 'not available right now, try again'),
  DEADLINE_EXCEEDED: row(status.DEADLINE_EXCEEDED, 504, true, 'the deadline passed before the answer'),
  CANCELLED: row(status.CANCELLED, 499, false, 'the caller gave up'),
  INTERNAL: row(status.INTERNAL, 500, false, 'internal error'),
}

function row(grpcStatus: number, httpStatus: number, retryable: boolean, text: string): ErrorRow {
  return { grpcStatus, httpStatus, retryable, text }
}

/** Whether a text is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text)
}

/** Optional parts of a StampedeError. */
export interface ErrorDetails {
  /** Path of the wrong field, as in the proto (`lines[3].quantity`); default empty. */
  readonly field?: string
  /** What caused it; logged, never sent. */
  readonly cause?: unknown
  /** Overrides the table, for an error that came over the wire. */
  readonly retryable?: boolean
}

/** The one exception that crosses borders. Its message is sent to callers: no personal data, no internals. */
export class StampedeError extends Error {
  override readonly name = 'StampedeError'
  /** Row of the table. */
  readonly code: ErrorCode
  /** Path of the wrong field; empty when none is to blame. */
  readonly field: string
  /** Whether the same request may succeed later. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string = errorTable[code].text, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.field = details.field ?? ''
    this.retryable = details.retryable ?? errorTable[code].retryable
  }

  /** Anything that was thrown, as a StampedeError: what is not known becomes INTERNAL with a generic text. */
  static from(reason: unknown): StampedeError {
    if (reason instanceof StampedeError) return reason
    if (reason instanceof Error && reason.name === 'TimeoutError')
      return new StampedeError('DEADLINE_EXCEEDED', undefined, { cause: reason })
    if (reason instanceof Error && reason.name === 'AbortError')
      return new StampedeError('CANCELLED', undefined, { cause: reason })
    return new StampedeError('INTERNAL', undefined, { cause: reason })
  }
}

/** The caller's mistake in one field (path as in the proto). */
export function invalidArgument(field: string, message: string): StampedeError {
  return new StampedeError('INVALID_ARGUMENT', field === '' ? message : `${field}: ${message}`, { field })
}

/** One text for "not yours" and "not there", so that nobody learns which. */
export function notFound(): StampedeError {
  return new StampedeError('NOT_FOUND')
}

/** The key of an earlier request came with another body. */
export function idempotencyConflict(): StampedeError {
  return new StampedeError('IDEMPOTENCY_CONFLICT', undefined, { field: 'idempotency_key' })
}

/** The state of things forbids it; a narrower code of the same family may be given. */
export function failedPrecondition(message: string, code: ErrorCode = 'FAILED_PRECONDITION'): StampedeError {
  return new StampedeError(code, message)
}

/** A part that is needed does not answer; worth a retry. */
export function unavailable(message: string, cause?: unknown): StampedeError {
  return new StampedeError('UNAVAILABLE', message, { cause })
}

/** Outcome of one failed item of a batch; the shape of the protos' ItemError. */
export interface ItemFailure {
  code: ErrorCode
  field: string
  message: string
  retryable: boolean
}

/** What a batch answers for an item that failed. */
export function itemError(error: unknown): ItemFailure {
  const known = StampedeError.from(error)
  return { code: known.code, field: known.field, message: known.message, retryable: known.retryable }
}
