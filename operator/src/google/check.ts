import { createPrivateKey } from 'node:crypto'
import { type Clock, type GoogleCredential, parseGoogleCredential, StampedeError } from '@stampede/platform'
import { signToken } from '../apple/token.ts'
import type { Finding } from '../domain/policy.ts'
import type { HttpsJson, JsonAnswer } from '../https-json.ts'
import { isRecord } from '../json.ts'
import { TemporaryError } from '../kernel/index.ts'

/** Where Google is. */
export interface GoogleHosts {
  /** Origin of the Wallet API. */
  readonly url: string
  readonly tokenUrl: string
}

/** What the check needs. */
export interface GoogleCheckOptions {
  readonly hosts: GoogleHosts
  readonly https: HttpsJson
  readonly clock: Clock
}

const WALLET_SCOPE = 'https://www.googleapis.com/auth/wallet_object.issuer'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const TOKEN_LIFE_SECONDS = 600
const PAUSE_MS = 60_000

/** Reads a service account's JSON; a finding when it is none. */
export function readServiceAccount(text: string): GoogleCredential | Finding {
  try {
    return parseGoogleCredential(text)
  } catch (error) {
    if (!(error instanceof StampedeError)) throw error
    return { reason: 'InvalidServiceAccount', message: `the service account: ${error.message}` }
  }
}

/**
 * Whether a service account may work for an issuer: it must get a token, and with that see the issuer. Undefined when it
 * may. Throws TemporaryError when Google does not say.
 */
export async function checkIssuer(
  options: GoogleCheckOptions,
  account: GoogleCredential,
  issuerId: string,
): Promise<Finding | undefined> {
  const token = await fetchToken(options, account)
  if (typeof token !== 'string') return token
  const url = new URL(`/walletobjects/v1/issuer/${issuerId}`, options.hosts.url)
  const answer = await options.https.call({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } })
  if (answer.status === 200) return undefined
  throwIfTemporary(answer)
  const message = `${account.clientEmail} may not work for issuer ${issuerId}: Google answered ${answer.status}`
  return { reason: 'IssuerDenied', message }
}

async function fetchToken({ hosts, https, clock }: GoogleCheckOptions, account: GoogleCredential) {
  const iat = Math.floor(clock.nowMs() / 1000)
  const claims = {
    iss: account.clientEmail,
    scope: WALLET_SCOPE,
    aud: hosts.tokenUrl,
    iat,
    exp: iat + TOKEN_LIFE_SECONDS,
  }
  const assertion = signToken({ alg: 'RS256', typ: 'JWT' }, claims, createPrivateKey(account.privateKeyPem))
  const answer = await https.call({
    method: 'POST',
    url: new URL(hosts.tokenUrl),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion }).toString(),
  })
  const token = isRecord(answer.body) ? answer.body['access_token'] : undefined
  if (answer.status === 200 && typeof token === 'string') return token
  throwIfTemporary(answer)
  const why = isRecord(answer.body) ? String(answer.body['error_description'] ?? answer.body['error'] ?? '') : ''
  return { reason: 'ServiceAccountRefused', message: `Google refuses ${account.clientEmail}: ${answer.status} ${why}` }
}

function throwIfTemporary({ status, retryAfterMs }: JsonAnswer): void {
  if (status === 429 || status >= 500) throw new TemporaryError(`Google answered ${status}`, retryAfterMs ?? PAUSE_MS)
}
