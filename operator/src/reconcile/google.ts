import { createHash } from 'node:crypto'
import type { Clock } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { Brand, BrandGoogle } from '../crd/brand.ts'
import type { Finding } from '../domain/policy.ts'
import { checkIssuer, readServiceAccount } from '../google/check.ts'
import { secrets } from '../kernel/index.ts'
import { condition, failureOf, type PartOutcome } from './part.ts'

/** What the check of a brand's Google issuer came to. */
export interface GoogleOutcome extends PartOutcome {
  /** The service account's JSON when it may work for the issuer, or did so when it was last asked. */
  readonly json: string | undefined
}

/** A good service account is asked about once in this time, a bad one this often. */
const GOOD_FOR_MS = 6 * 3_600_000
const BAD_FOR_MS = 10 * 60_000
/** After no answer. */
const AGAIN_MS = 60_000

interface Verdict {
  readonly of: string
  readonly untilMs: number
  readonly finding: Finding | undefined
}

/** What Google said of service accounts, so that it is not asked at each reconcile. */
export class GoogleVerdicts {
  readonly #clock: Clock
  readonly #verdicts = new Map<string, Verdict>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The verdict on these contents; undefined when Google has to be asked. */
  get(uid: string, of: string): { readonly finding: Finding | undefined; readonly leftMs: number } | undefined {
    const known = this.#verdicts.get(uid)
    const leftMs = (known?.untilMs ?? 0) - this.#clock.nowMs()
    return known?.of === of && leftMs > 0 ? { finding: known.finding, leftMs } : undefined
  }

  set(uid: string, of: string, finding: Finding | undefined): void {
    const untilMs = this.#clock.nowMs() + (finding === undefined ? GOOD_FOR_MS : BAD_FOR_MS)
    this.#verdicts.set(uid, { of, untilMs, finding })
  }

  forget(uid: string): void {
    this.#verdicts.delete(uid)
  }
}

/** Checks that the service account may work for the issuer; undefined for a brand without Google. */
export async function googlePart(context: Context, brand: Brand): Promise<GoogleOutcome | undefined> {
  const { google } = brand.spec
  if (google === undefined) return undefined
  const json = await readJson(context, google)
  if (json === undefined) {
    const { name, key } = google.serviceAccountSecretRef
    return bad({ reason: 'ServiceAccountNotFound', message: `Secret ${name} has no entry ${key}` }, BAD_FOR_MS)
  }
  const uid = brand.metadata.uid ?? ''
  const of = createHash('sha256').update(`${google.issuerId}\0${json}`).digest('base64')
  try {
    const known = context.googleVerdicts.get(uid, of)
    const finding = known ? known.finding : await ask(context, google, json)
    if (known === undefined) context.googleVerdicts.set(uid, of, finding)
    if (finding !== undefined) return bad(finding, known?.leftMs ?? BAD_FOR_MS)
    const message = `the service account may work for issuer ${google.issuerId}`
    return {
      conditions: [condition('GoogleReady', 'True', 'Checked', message)],
      requeueAfterMs: known?.leftMs ?? GOOD_FOR_MS,
      json,
    }
  } catch (error) {
    const { reason, message, retryAfterMs = 0 } = failureOf(error)
    // Not known to be bad: it is published all the same, or an hour of Google's would stop what works.
    const conditions = [condition('GoogleReady', 'Unknown', reason, message)]
    return { conditions, requeueAfterMs: Math.max(AGAIN_MS, retryAfterMs), json }
  }
}

async function ask(context: Context, google: BrandGoogle, json: string): Promise<Finding | undefined> {
  const account = readServiceAccount(json)
  if ('reason' in account) return account
  const { googleHosts: hosts, googleHttps: https, clock } = context
  return checkIssuer({ hosts, https, clock }, account, google.issuerId)
}

async function readJson(context: Context, { serviceAccountSecretRef }: BrandGoogle): Promise<string | undefined> {
  const { name, key } = serviceAccountSecretRef
  const secret = await context.store.get(secrets, { namespace: context.namespace, name })
  const data = secret?.data?.[key]
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8')
}

function bad({ reason, message }: Finding, requeueAfterMs: number): GoogleOutcome {
  return { conditions: [condition('GoogleReady', 'False', reason, message)], requeueAfterMs, json: undefined }
}
