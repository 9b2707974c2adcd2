import http from 'k6/http'
import type { Kind } from '../plan/thresholds.ts'
import { type Attempt, insist } from './insist.ts'
import { fixture } from './world.ts'

const timeout = '5s'
/** 0: no answer. */
const againStatuses: readonly number[] = [0, 429, 503, 504]
/** How k6 says that the run ended in the middle of a request. */
const interruption = 'context canceled'

/** POSTs JSON as a till, repeats what is worth it, and writes the call down; undefined without an answer. */
export function post<T>(kind: Kind, url: string, body: object): T | undefined {
  return insist(kind, () => attempt<T>('POST', url, JSON.stringify(body)))
}

/** GETs JSON once, of what may not be there yet; undefined without it. Writes nothing down. */
export function look<T>(url: string): T | undefined {
  const answer = attempt<T>('GET', url, null)
  return answer.ok ? answer.message : undefined
}

function attempt<T>(method: string, url: string, body: string | null): Attempt<T> {
  const headers = { authorization: `Bearer ${fixture.tillKey}`, 'content-type': 'application/json' }
  const response = http.request(method, url, body, { headers, timeout, responseType: 'text' })
  if (response.status === 200) return { ok: true, message: JSON.parse(response.body) as T }
  const why = `status ${response.status}: ${response.error || response.body}`
  if (isInterrupted(response.error)) return { ok: false, outcome: 'interrupted', why }
  return { ok: false, outcome: againStatuses.includes(response.status) ? 'again' : 'failed', why }
}

/** Whether a request ended because the run did. */
export function isInterrupted(error: string): boolean {
  return error.includes(interruption)
}
