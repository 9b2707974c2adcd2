import type { GoogleCredential } from '@stampede/platform'
import type { Lane } from '../quota/turn-queue.ts'
import { type AccessTokens, BAD_KEY } from './access-tokens.ts'
import type { GoogleCall, GoogleCaller, GoogleHttpAnswer } from './http.ts'
import type { GoogleAnswer, Obstacle } from './verdict.ts'

/** A wait for a turn is looked at again after this, in milliseconds: what is held meanwhile must be kept. */
const TURN_MS = 5_000

const noCredential: GoogleAnswer = { status: 0, reason: 'NoCredential', message: '', retryAfterMs: 0 }

/** Something held while calls are made, such as a resource that nobody else may write. */
export interface Hold {
  /** Makes sure that it is held for 20 s more; false when it is lost. Throws UNAVAILABLE. */
  keep(): Promise<boolean>
}

/** Gives turns to the calls of issuers. */
export interface Turns {
  /** Waits for the turn of one call; false when the signal came first. */
  turn(issuer: string, lane: Lane, signal: AbortSignal): Promise<boolean>
  /** Told about each answer, because it may ask for a pause of the issuer. Never rejects. */
  answered(issuer: string, answer: GoogleAnswer): Promise<void>
}

/** What calls of the API are made with. */
export interface ApiParts {
  readonly http: GoogleCaller
  readonly tokens: AccessTokens
  readonly turns: Turns
  /** Such as https://walletobjects.googleapis.com, without a slash at the end. */
  readonly baseUrl: string
  /** Told about each answer of the API. */
  called(issuer: string, status: number, tookMs: number): void
}

/** One call of the API. */
export interface ApiCall {
  readonly method: GoogleCall['method']
  /** Kind, id and action, such as `loyaltyObject/<id>/addMessage`; the id percent-encoded. */
  readonly path: string
  /** JSON; empty for none. */
  readonly body: string
}

/** For whom a call is made, and how long it may wait for its turn. */
export interface ApiCaller {
  readonly issuer: string
  /** Undefined while the brand has none. */
  readonly credential: GoogleCredential | undefined
  readonly lane: Lane
  readonly hold: Hold
  readonly signal: AbortSignal
}

/** How a call ended. */
export type ApiEnd =
  | { readonly kind: 'answered'; readonly answer: GoogleHttpAnswer }
  /** It was not made: no token. */
  | { readonly kind: 'no-token'; readonly obstacle: Obstacle; readonly answer: GoogleAnswer }
  /** It was not made: the signal came, or the hold was lost. */
  | { readonly kind: 'no-turn' }

/** Makes one call at its turn; a refused token is replaced once. Throws UNAVAILABLE without a broker. */
export async function callApi(call: ApiCall, caller: ApiCaller, parts: ApiParts): Promise<ApiEnd> {
  const first = await callOnce(call, caller, parts)
  if (first.kind !== 'answered' || first.answer.status !== 401) return first
  return callOnce(call, caller, parts)
}

/** Calls, and forgets a token that is refused. */
async function callOnce(call: ApiCall, caller: ApiCaller, parts: ApiParts): Promise<ApiEnd> {
  const { issuer, credential } = caller
  const { http, tokens, turns, baseUrl, called } = parts
  if (credential === undefined) return { kind: 'no-token', obstacle: 'resource', answer: noCredential }
  const token = await tokens.get(credential)
  if (!token.ok) return { kind: 'no-token', obstacle: tokenObstacle(token.answer), answer: token.answer }
  if (!(await turnWithHold(caller, turns))) return { kind: 'no-turn' }
  const startMs = performance.now()
  const answer = await http.call({
    method: call.method,
    url: `${baseUrl}/walletobjects/v1/${call.path}`,
    headers: {
      authorization: `Bearer ${token.token}`,
      accept: 'application/json',
      ...(call.body !== '' && { 'content-type': 'application/json' }),
    },
    body: call.body,
  })
  called(issuer, answer.status, performance.now() - startMs)
  await turns.answered(issuer, answer)
  if (answer.status === 401) tokens.drop(credential, token.token)
  return { kind: 'answered', answer }
}

async function turnWithHold({ issuer, lane, hold, signal }: ApiCaller, turns: Turns): Promise<boolean> {
  while (!signal.aborted && (await hold.keep())) {
    if (await turns.turn(issuer, lane, AbortSignal.any([signal, AbortSignal.timeout(TURN_MS)]))) return true
  }
  return false
}

/** A refused account is never the fault of a resource; asking again at once would not help it either. */
function tokenObstacle({ status, reason }: GoogleAnswer): Obstacle {
  return (status === 0 && reason !== BAD_KEY) || status >= 500 ? 'google' : 'resource'
}
