import { isObject } from '../pass/check-json.ts'
import type { Answer, Question } from './client.ts'
import type { HeldPass, Phone } from './registry.ts'

/** Something a phone cannot go on with. */
export interface Trouble {
  readonly reason: string
  /** Worth another try. */
  readonly retryable: boolean
  /** Wait that the server asked for, ms. */
  readonly retryAfterMs?: number
}

/** Longest Retry-After that is honoured, ms. */
export const RETRY_AFTER_MAX_MS = 10 * 60_000

type Place = Pick<HeldPass, 'webServiceUrl' | 'passTypeId' | 'serial' | 'authToken'>

function base(webServiceUrl: string): string {
  return `${webServiceUrl.replace(/\/+$/, '')}/v1`
}

function authorization({ authToken }: Place): Readonly<Record<string, string>> {
  return { authorization: `ApplePass ${authToken}` }
}

function registrationUrl(device: string, { webServiceUrl, passTypeId, serial }: Place): string {
  const path = [device, 'registrations', passTypeId, serial].map(encodeURIComponent).join('/')
  return `${base(webServiceUrl)}/devices/${path}`
}

/** Registers the phone for a pass. */
export function registerQuestion(phone: Pick<Phone, 'device' | 'token'>, place: Place): Question {
  return {
    method: 'POST',
    url: registrationUrl(phone.device, place),
    headers: authorization(place),
    body: JSON.stringify({ pushToken: phone.token }),
  }
}

/** Unregisters the phone from a pass. */
export function unregisterQuestion(phone: Pick<Phone, 'device'>, place: Place): Question {
  return { method: 'DELETE', url: registrationUrl(phone.device, place), headers: authorization(place) }
}

/** Asks which passes changed since the tag; without one, for all. */
export function listQuestion(
  device: string,
  webServiceUrl: string,
  passTypeId: string,
  tag: string | undefined,
): Question {
  const query = tag === undefined || tag === '' ? '' : `?passesUpdatedSince=${encodeURIComponent(tag)}`
  const path = [device, 'registrations', passTypeId].map(encodeURIComponent).join('/')
  return { method: 'GET', url: `${base(webServiceUrl)}/devices/${path}${query}` }
}

/** Asks for a pass. */
export function passQuestion(held: HeldPass): Question {
  return {
    method: 'GET',
    url: `${base(held.webServiceUrl)}/passes/${encodeURIComponent(held.passTypeId)}/${encodeURIComponent(held.serial)}`,
    headers: {
      ...authorization(held),
      ...(held.lastModified !== '' && { 'if-modified-since': held.lastModified }),
    },
  }
}

function retryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS)
}

/** The trouble with an answer whose status is not among the expected ones. */
export function troubleOf(what: string, { status, headers }: Answer, nowMs: number): Trouble {
  const retryAfterMs = retryAfter(headers['retry-after'], nowMs)
  const retryable = status >= 500 || status === 429
  return { reason: `${what}: status ${status}`, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** An answered list, or what is wrong with it. */
export type ListResult =
  | { readonly ok: true; readonly serials: readonly string[]; readonly tag: string }
  | { readonly ok: false; readonly trouble: Trouble }

/** Reads the answer to a list question. */
export function readList(answer: Answer, previousTag: string | undefined, nowMs: number): ListResult {
  const wrong = (reason: string): ListResult => ({
    ok: false,
    trouble: { reason: `list: ${reason}`, retryable: false },
  })
  if (answer.status === 204) {
    return answer.body.length > 0 ? wrong('204 with a body') : { ok: true, serials: [], tag: previousTag ?? '' }
  }
  if (answer.status !== 200) return { ok: false, trouble: troubleOf('list', answer, nowMs) }
  if (!answer.headers['content-type']?.startsWith('application/json')) return wrong('content type is not JSON')
  let body: unknown
  try {
    body = JSON.parse(answer.body.toString('utf8'))
  } catch {
    return wrong('body is not JSON')
  }
  if (!isObject(body)) return wrong('body is not an object')
  const { serialNumbers, lastUpdated } = body
  if (typeof lastUpdated !== 'string') return wrong('lastUpdated is not a text')
  if (!Array.isArray(serialNumbers) || !serialNumbers.every((serial) => typeof serial === 'string')) {
    return wrong('serialNumbers is not a list of texts')
  }
  if (serialNumbers.length === 0) return wrong('serialNumbers is empty: that is a 204')
  return { ok: true, serials: serialNumbers, tag: lastUpdated }
}
