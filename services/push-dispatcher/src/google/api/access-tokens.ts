import type { GoogleCredential } from '@stampede/platform'
import { ASSERTION_SECONDS, assertionOf } from './assertion.ts'
import type { GoogleCaller } from './http.ts'
import type { GoogleAnswer } from './verdict.ts'

/** A token is renewed when less than this is left, in milliseconds. */
const RENEW_BEFORE_MS = 300_000
/** An account that got no token asks again after this, in milliseconds. */
const REFUSED_MS = 5_000
/** Reason when an account's key cannot sign. */
export const BAD_KEY = 'BadKey'
/** Accounts whose tokens are kept. */
const ACCOUNTS_MAX = 1_000

/** An access token, or why there is none. */
export type AccessToken =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly answer: GoogleAnswer }

interface Kept {
  readonly privateKeyPem: string
  readonly outcome: AccessToken
  readonly untilMs: number
}

/** Access tokens of service accounts: cached, and fetched once however many ask at the same time. */
export class AccessTokens {
  readonly #http: GoogleCaller
  readonly #tokenUrl: string
  readonly #kept = new Map<string, Kept>()
  readonly #pending = new Map<string, Promise<AccessToken>>()

  constructor(http: GoogleCaller, tokenUrl: string) {
    this.#http = http
    this.#tokenUrl = tokenUrl
  }

  /** The account's token. A refusal is remembered for 5 s, unless the account has a new key. */
  async get(credential: GoogleCredential): Promise<AccessToken> {
    const { clientEmail, privateKeyPem } = credential
    const kept = this.#kept.get(clientEmail)
    const usable = kept !== undefined && (kept.outcome.ok || kept.privateKeyPem === privateKeyPem)
    if (usable && Date.now() < kept.untilMs) return kept.outcome
    const pending = this.#pending.get(clientEmail)
    if (pending !== undefined) return pending
    const fetching = this.#fetch(credential).finally(() => this.#pending.delete(clientEmail))
    this.#pending.set(clientEmail, fetching)
    return fetching
  }

  /** Forgets a token that was refused; a newer one stays. */
  drop({ clientEmail }: GoogleCredential, token: string): void {
    const outcome = this.#kept.get(clientEmail)?.outcome
    if (outcome?.ok === true && outcome.token === token) this.#kept.delete(clientEmail)
  }

  async #fetch(credential: GoogleCredential): Promise<AccessToken> {
    const { clientEmail, privateKeyPem } = credential
    const nowMs = Date.now()
    const { outcome, lifeMs } = await this.#ask(credential, nowMs)
    if (this.#kept.size >= ACCOUNTS_MAX) this.#kept.clear()
    this.#kept.set(clientEmail, { privateKeyPem, outcome, untilMs: nowMs + lifeMs })
    return outcome
  }

  async #ask(credential: GoogleCredential, nowMs: number) {
    const assertion = signed(credential, this.#tokenUrl, Math.floor(nowMs / 1_000))
    if (assertion === undefined) {
      const answer = { status: 0, reason: BAD_KEY, message: '', retryAfterMs: 0 }
      return { outcome: { ok: false, answer } as const, lifeMs: REFUSED_MS }
    }
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
    const answer = await this.#http.call({
      method: 'POST',
      url: this.#tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
    const { access_token: token, expires_in: seconds } = (answer.json ?? {}) as Record<string, unknown>
    if (answer.status !== 200 || typeof token !== 'string' || token === '') {
      return { outcome: { ok: false, answer } as const, lifeMs: REFUSED_MS }
    }
    const lifeMs = (typeof seconds === 'number' ? seconds : ASSERTION_SECONDS) * 1_000
    return { outcome: { ok: true, token } as const, lifeMs: Math.max(lifeMs / 2, lifeMs - RENEW_BEFORE_MS) }
  }
}

function signed(credential: GoogleCredential, audience: string, iat: number): string | undefined {
  try {
    return assertionOf(credential, audience, iat)
  } catch {
    // A key of another kind than RSA.
    return undefined
  }
}
