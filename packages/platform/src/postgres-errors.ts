import { DatabaseError } from 'pg'
import { type ErrorCode, StampedeError } from './errors.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly text: string
}

const unavailableMeaning: Meaning = { code: 'UNAVAILABLE', text: 'the database does not answer right now, try again' }
const invalidMeaning: Meaning = { code: 'INVALID_ARGUMENT', text: 'a value has a form that cannot be stored' }

/** SQLSTATE (all five characters, or its class of two) -> what it means to a caller. */
const meanings: Readonly<Record<string, Meaning>> = {
  '08': unavailableMeaning,
  '53': unavailableMeaning,
  '57': unavailableMeaning,
  '58': unavailableMeaning,
  // A former primary after a failover.
  '25006': unavailableMeaning,
  '55P03': unavailableMeaning,
  '40': { code: 'UNAVAILABLE', text: 'too many writers at once, try again' },
  '57014': { code: 'DEADLINE_EXCEEDED', text: 'the database took too long' },
  '22': invalidMeaning,
  '23505': { code: 'ALREADY_EXISTS', text: 'it exists already' },
  '23503': { code: 'FAILED_PRECONDITION', text: 'something that it refers to is missing' },
  '23514': { code: 'FAILED_PRECONDITION', text: 'the present state does not allow that' },
}

/** Errors of sockets, and the two that the driver makes itself, have no SQLSTATE. */
const connectionLoss =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|not queryable/i

const conflictStates = ['40001', '40P01']

/** Anything that the driver threw, as a StampedeError; the original is its cause. */
export function fromPostgres(error: unknown): StampedeError {
  if (error instanceof StampedeError) return error
  const meaning = meaningOf(error)
  if (meaning === undefined) return new StampedeError('INTERNAL', undefined, { cause: error })
  return new StampedeError(meaning.code, meaning.text, { cause: error })
}

/** Whether a transaction lost against another one (serialization failure, deadlock) and may simply run again. */
export function isConflict(error: unknown): boolean {
  return conflictStates.includes(sqlState(error) ?? '')
}

/** Whether the connection is not to be used again. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof StampedeError && error.code === 'UNAVAILABLE' && !isConflict(error)
}

/** Name of the constraint that a failed write broke; undefined for other failures. */
export function violatedConstraint(error: unknown): string | undefined {
  const cause = error instanceof StampedeError ? error.cause : error
  return cause instanceof DatabaseError ? cause.constraint : undefined
}

function meaningOf(error: unknown): Meaning | undefined {
  const state = sqlState(error)
  if (state !== undefined) return meanings[state] ?? meanings[state.slice(0, 2)]
  if (!(error instanceof Error)) return undefined
  // Several addresses of one host fail as an AggregateError with an empty message.
  const code = 'code' in error ? String(error.code) : ''
  return connectionLoss.test(`${code} ${error.message}`) ? unavailableMeaning : undefined
}

function sqlState(error: unknown): string | undefined {
  const cause = error instanceof StampedeError ? error.cause : error
  return cause instanceof DatabaseError ? cause.code : undefined
}
