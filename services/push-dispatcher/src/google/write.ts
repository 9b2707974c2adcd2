import type { GoogleCredential } from '@stampede/platform'
import type { GoogleWork } from '@stampede/proto/push/v1'
import { type AccessTokens, BAD_KEY } from './access-tokens.ts'
import type { GoogleCaller } from './http.ts'
import type { IssuerGates } from './issuer-gates.ts'
import { type GoogleAnswer, type Obstacle, verdictOf, type WriteCall } from './verdict.ts'

/** Calls of one attempt: insert, replace, and one of them again with a new token. */
const CALLS_MAX = 4
/** Token refusals of one attempt that a new token is fetched for. */
const NEW_TOKENS_MAX = 1

/** How an attempt ended. */
export type WriteEnd =
  | { readonly kind: 'accepted' | 'rejected'; readonly answer: GoogleAnswer }
  | { readonly kind: 'later'; readonly obstacle: Obstacle; readonly answer: GoogleAnswer }

/** What an attempt works with. */
export interface WriteParts {
  readonly http: GoogleCaller
  readonly tokens: AccessTokens
  readonly gates: IssuerGates
  /** Such as https://walletobjects.googleapis.com, without a slash at the end. */
  readonly baseUrl: string
  /** Told about each answer of the API. */
  called(issuer: string, status: number, tookMs: number): void
}

const notCalled: GoogleAnswer = { status: 0, reason: 'NotCalled', message: '', retryAfterMs: 0 }

/** One attempt to bring a resource to its desired state, starting with the call that most likely is the right one. */
export async function writeResource(
  work: GoogleWork,
  credential: GoogleCredential,
  first: WriteCall,
  parts: WriteParts,
  signal: AbortSignal,
): Promise<WriteEnd> {
  let call = first
  let newTokens = 0
  let answer = notCalled
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const token = await parts.tokens.get(credential)
    if (!token.ok) return { kind: 'later', obstacle: tokenObstacle(token.answer), answer: token.answer }
    if (!(await parts.gates.turn(work.issuerId, signal))) return { kind: 'later', obstacle: 'resource', answer }
    answer = await send(call, work, token.token, parts)
    const verdict = verdictOf(work.kind, call, answer)
    switch (verdict.kind) {
      case 'accepted':
      case 'rejected':
        return { kind: verdict.kind, answer }
      case 'later':
        return { ...verdict, answer }
      case 'new-token':
        if (newTokens === NEW_TOKENS_MAX) return { kind: 'later', obstacle: 'resource', answer }
        newTokens += 1
        parts.tokens.drop(credential, token.token)
        break
      case 'call':
        call = verdict.call
    }
  }
  return { kind: 'later', obstacle: 'resource', answer }
}

/** A refused account is never the fault of a resource; asking again at once would not help it either. */
function tokenObstacle({ status, reason }: GoogleAnswer): Obstacle {
  return (status === 0 && reason !== BAD_KEY) || status >= 500 ? 'google' : 'resource'
}

async function send(
  call: WriteCall,
  { kind, resourceId, resourceJson, issuerId }: GoogleWork,
  token: string,
  { http, baseUrl, called }: WriteParts,
): Promise<GoogleAnswer> {
  const collection = `${baseUrl}/walletobjects/v1/${kind}`
  const startMs = performance.now()
  const answer = await http.call({
    method: call === 'insert' ? 'POST' : 'PUT',
    url: call === 'insert' ? collection : `${collection}/${encodeURIComponent(resourceId)}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
    body: resourceJson,
  })
  called(issuerId, answer.status, performance.now() - startMs)
  return answer
}
