/** A refusal in App Store Connect's words. */
export interface AppStoreProblem {
  readonly status: number
  /** Machine-readable, such as `ENTITY_ERROR.ATTRIBUTE.INVALID`. */
  readonly code: string
  readonly detail: string
  /** JSON pointer or parameter that is to blame. */
  readonly source?: { readonly pointer: string } | { readonly parameter: string }
}

/** Outcome of a check or a step. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: AppStoreProblem }

/** An outcome that is good. */
export function good<T>(value: T): Checked<T> {
  return { ok: true, value }
}

/** A refusal with this status, code and text. */
export function bad(
  status: number,
  code: string,
  detail: string,
  source?: AppStoreProblem['source'],
): { readonly ok: false; readonly problem: AppStoreProblem } {
  return { ok: false, problem: { status, code, detail, ...(source && { source }) } }
}

/** 409: an attribute of the entity in the body is wrong. */
export function badAttribute(name: string, detail: string): { readonly ok: false; readonly problem: AppStoreProblem } {
  return bad(409, 'ENTITY_ERROR.ATTRIBUTE.INVALID', detail, { pointer: `/data/attributes/${name}` })
}

/** 404: there is no such resource for this team. */
export function missing(type: string, id: string): { readonly ok: false; readonly problem: AppStoreProblem } {
  return bad(404, 'NOT_FOUND', `There is no resource of type '${type}' with id '${id}'`)
}

const titles: Readonly<Record<number, string>> = {
  400: 'A parameter has an invalid value',
  401: 'Authentication credentials are missing or invalid.',
  403: 'This request is forbidden for security reasons',
  404: 'The specified resource does not exist',
  405: 'The specified method is not allowed for this resource',
  409: 'The request entity is not valid',
  413: 'The request entity is too large',
  415: 'The media type is not supported',
  422: 'The request entity is not a valid request document object',
  429: 'The request exceeds the rate limit',
  500: 'An unexpected error occurred.',
}

/** The JSON:API body of a refusal. */
export function problemBody(id: string, { status, code, detail, source }: AppStoreProblem): object {
  const error = {
    id,
    status: String(status),
    code,
    title: titles[status] ?? 'Error',
    detail,
    ...(source && { source }),
  }
  return { errors: [error] }
}
