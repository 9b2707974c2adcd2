import { Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { type ErrorCode, errorTable, isErrorCode, StampedeError } from '../errors.ts'

const CODE_KEY = 'stampede-code'
const FIELD_KEY = 'stampede-field'
const RETRYABLE_KEY = 'stampede-retryable'

/** An error as the status of a gRPC answer. */
export function toGrpcStatus(error: StampedeError): StatusObject {
  const metadata = new Metadata()
  metadata.set(CODE_KEY, error.code)
  // gRPC metadata is printable ASCII; a field can hold what the caller sent.
  if (error.field !== '') metadata.set(FIELD_KEY, error.field.replace(/[^\x20-\x7e]/g, '?'))
  metadata.set(RETRYABLE_KEY, String(error.retryable))
  return { code: errorTable[error.code].grpcStatus, details: error.message, metadata }
}

/** Codes for answers that gRPC itself makes (no server, deadline, message too large ...). */
const foreignCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [status.CANCELLED, 'CANCELLED'],
  [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'],
  [status.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED'],
  [status.NOT_FOUND, 'NOT_FOUND'],
  [status.ALREADY_EXISTS, 'ALREADY_EXISTS'],
  [status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
  [status.RESOURCE_EXHAUSTED, 'RESOURCE_EXHAUSTED'],
  [status.FAILED_PRECONDITION, 'FAILED_PRECONDITION'],
  [status.UNAVAILABLE, 'UNAVAILABLE'],
  [status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
])

/** What a client was answered, as the error that the server threw. The only reader of gRPC's errors. */
export function fromGrpcError(reason: unknown): StampedeError {
  if (!isServiceError(reason)) return StampedeError.from(reason)
  const code = text(reason.metadata, CODE_KEY)
  if (isErrorCode(code)) {
    const field = text(reason.metadata, FIELD_KEY)
    const retryable = text(reason.metadata, RETRYABLE_KEY) === 'true'
    return new StampedeError(code, reason.details, { field, retryable, cause: reason })
  }
  const foreign = foreignCodes.get(reason.code) ?? 'INTERNAL'
  // A message over gRPC's own size limit will not be smaller next time.
  const retryable = foreign === 'UNAVAILABLE' || foreign === 'DEADLINE_EXCEEDED'
  return new StampedeError(foreign, reason.details, { retryable, cause: reason })
}

function isServiceError(reason: unknown): reason is StatusObject {
  return reason instanceof Error && 'code' in reason && 'details' in reason && 'metadata' in reason
}

function text(metadata: Metadata | undefined, key: string): string {
  const value = metadata?.get(key)[0]
  return typeof value === 'string' ? value : ''
}
