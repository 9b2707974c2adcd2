import type { GoogleWork } from '@stampede/proto/push/v1'
import { type ApiCaller, type ApiParts, callApi } from '../api/call-api.ts'
import { type GoogleAnswer, type Obstacle, verdictOf, type WriteCall } from '../api/verdict.ts'
import { asksToNotify, insertBody, isGoogleKind, parseJson, patchBody } from './resource-json.ts'

/** Calls of one attempt: insert, patch, patch without notifying, and one more for answers that contradict each other. */
const CALLS_MAX = 4

/** How an attempt ended. */
export type WriteEnd =
  /** `quiet`: the change was made, but its holders could not be told of it. */
  | { readonly kind: 'accepted'; readonly answer: GoogleAnswer; readonly quiet: boolean }
  | { readonly kind: 'rejected'; readonly answer: GoogleAnswer }
  | { readonly kind: 'later'; readonly obstacle: Obstacle; readonly answer: GoogleAnswer }

const notCalled: GoogleAnswer = { status: 0, reason: 'NotCalled', message: '', retryAfterMs: 0 }

/** What an attempt is made with. */
export interface WriteParts extends ApiParts {
  /** Books a notification of the resource; false when that would be too often. Throws UNAVAILABLE. */
  mayNotify(work: GoogleWork): Promise<boolean>
}

/**
 * One attempt to bring a resource to its desired state, starting with the call that most likely is the right one. A
 * change whose holders were told too often already is made without telling them: it never waits for tomorrow.
 */
export async function writeResource(
  work: GoogleWork,
  first: WriteCall,
  caller: ApiCaller,
  parts: WriteParts,
): Promise<WriteEnd> {
  const { kind, resourceId } = work
  const resource = parseJson(work.resourceJson)
  if (!isGoogleKind(kind) || resource === undefined) return { kind: 'rejected', answer: notCalled }
  const path = `${kind}/${encodeURIComponent(resourceId)}`
  let call = first
  let quiet = false
  let answer: GoogleAnswer = notCalled
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const notify: boolean = call === 'patch' && asksToNotify(resource) && !quiet && (await parts.mayNotify(work))
    quiet ||= call === 'patch' && asksToNotify(resource) && !notify
    const end = await callApi(
      call === 'insert'
        ? { method: 'POST', path: kind, body: insertBody(resource) }
        : { method: 'PATCH', path, body: patchBody(kind, resource, notify) },
      caller,
      parts,
    )
    if (end.kind === 'no-turn') return { kind: 'later', obstacle: 'resource', answer }
    if (end.kind === 'no-token') return { kind: 'later', obstacle: end.obstacle, answer: end.answer }
    answer = end.answer
    const verdict = verdictOf(kind, call, answer)
    if (verdict.kind === 'accepted') return { kind: 'accepted', answer, quiet }
    if (verdict.kind === 'rejected') return { kind: 'rejected', answer }
    if (verdict.kind === 'later') return { ...verdict, answer }
    if (verdict.kind === 'call') call = verdict.call
    // Google counts more notifications than we do, or has another quota: only the first can be avoided.
    else if (notify) quiet = true
    else return { kind: 'later', obstacle: 'resource', answer }
  }
  return { kind: 'later', obstacle: 'resource', answer }
}
