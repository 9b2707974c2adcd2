/** An answer of the web service. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Called when the phone has the whole answer. */
  readonly sent?: () => void
}

/** Seconds after which a phone that was turned away shall come again. */
export const RETRY_AFTER_SECONDS = 5

/** An answer without a body. */
export function empty(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers }
}

/** An answer in JSON. */
export function json(status: number, value: unknown): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) }
}

/** 401 as the protocol has it; one and the same for a wrong token and a pass that is not there. */
export const unauthorized: Answer = { status: 401, headers: { 'WWW-Authenticate': 'ApplePass' } }
/** Nothing at this address. */
export const missing: Answer = { status: 404 }
/** Too busy. */
export const overloaded: Answer = { status: 503, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } }
