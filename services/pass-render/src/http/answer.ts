import type { PassBytes } from '../sign-queue.ts'

/** An answer of the web service. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number>>
  /** In pieces to be sent one after the other. */
  readonly body?: PassBytes
  /** Called when the phone has the whole answer. */
  readonly sent?: () => void
}

/** Seconds after which a phone that was turned away shall come again, at the least. */
export const RETRY_AFTER_SECONDS = 5
/** They come back over so many seconds, not all at once. */
const RETRY_SPREAD_SECONDS = 25
/** The same where a human being has to act first, such as for a certificate. */
const UNREADY_RETRY_SECONDS = 300

/** An answer without a body. */
export function empty(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers }
}

/** An answer in JSON. */
export function json(status: number, value: unknown): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: [Buffer.from(JSON.stringify(value))] }
}

/** 401 as the protocol has it; one and the same for a wrong token and a pass that is not there. */
export const unauthorized: Answer = { status: 401, headers: { 'WWW-Authenticate': 'ApplePass' } }
/** Nothing at this address. */
export const missing: Answer = { status: 404 }

/** When a phone that is turned away shall come again: at random, as value of Retry-After. */
export function retryAfter(leastSeconds = RETRY_AFTER_SECONDS): string {
  return String(leastSeconds + Math.floor(Math.random() * RETRY_SPREAD_SECONDS))
}

/** Too busy. */
export function overloaded(): Answer {
  return { status: 503, headers: { 'Retry-After': retryAfter() } }
}

/** The brand lacks something that we need: the phone shall come again, but not soon. */
export function unready(): Answer {
  return { status: 503, headers: { 'Retry-After': retryAfter(UNREADY_RETRY_SECONDS) } }
}

/** More than one may ask. */
export function tooMany(): Answer {
  return { status: 429, headers: { 'Retry-After': retryAfter() } }
}
