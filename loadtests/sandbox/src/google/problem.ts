/** A refusal in Google's words. */
export interface GoogleProblem {
  readonly status: number
  /** `error.errors[0].reason`. */
  readonly reason: string
  readonly message: string
}

/** A refusal with this status, reason and text. */
export function problem(status: number, reason: string, message: string): GoogleProblem {
  return { status, reason, message }
}

/** 400: an argument is bad. */
export function badRequest(message: string): GoogleProblem {
  return problem(400, 'badRequest', message)
}

const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'ALREADY_EXISTS',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}

/** The JSON body that the Wallet API answers a refusal with. */
export function problemBody({ status, reason, message }: GoogleProblem): object {
  const errors = [{ message, domain: 'walletobjects', reason }]
  return { error: { code: status, message, errors, status: statusNames[status] ?? 'UNKNOWN' } }
}
