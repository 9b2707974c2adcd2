import type { AppStore } from '../apple/client.ts'
import type { Context } from '../context.ts'
import type { Brand, CertificateStatus } from '../crd/brand.ts'
import { type CertificateInput, currentRecord, whyIssue } from '../domain/certificate.ts'
import type { Finding } from '../domain/policy.ts'
import { renewalTimeMs } from '../domain/renewal.ts'
import { type RetryState, retryDelayMs, waitBeforeRetryMs } from '../domain/retry.ts'
import { type ConditionChange, wholeSeconds } from '../kernel/index.ts'
import { type IssueResult, issue } from './issue.ts'
import { listKeys, type StoredKey } from './key-secrets.ts'
import { condition, FindingError, failureOf, type PartFailure, type PartOutcome } from './part.ts'

/** What the certificates of a brand came to, and the key to publish. */
export interface CertificateOutcome extends PartOutcome {
  /** The newest key with a usable certificate. */
  readonly current: StoredKey | undefined
}

/** A look at the certificate's end is never further away: the queue counts days at most. */
const LOOK_AGAIN_MAX_MS = 12 * 3_600_000

/** Issues what is due and says what there is. A failure leaves the current certificate in use. */
export async function certificatePart(context: Context, brand: Brand): Promise<CertificateOutcome> {
  const keys = await listKeys(context, brand)
  const due = whyIssue(inputOf(context, brand, keys))
  if (due === undefined) return certified(context, brand, keys, notDue)
  const waitMs = waitBeforeRetryMs(retryState(brand), brand.metadata.generation ?? 0, context.clock.nowMs())
  const known = brand.status?.conditions?.find(({ type }) => type === 'Issuing')
  const appStore = await findAppStore(context, brand)
  if (waitMs > 0 && known !== undefined && !context.failedWith.isNew(brand, appStore)) {
    const { attempts, nextAttemptTime } = brand.status ?? {}
    return certified(context, brand, keys, {
      conditions: [condition('Issuing', known.status, known.reason, known.message)],
      status: { ...(attempts !== undefined && { attempts }), ...(nextAttemptTime && { nextAttemptTime }) },
      requeueAfterMs: waitMs,
    })
  }
  context.events.record(brand, { type: 'Normal', reason: due.reason, action: 'Issue', note: due.message })
  try {
    if (appStore instanceof FindingError) throw appStore
    const result = await issue({ context, brand, keys, appStore })
    return await issuedOutcome(context, brand, keys, due, result)
  } catch (error) {
    return certified(context, brand, keys, failed(context, brand, appStore, failureOf(error)))
  }
}

const notDue: PartOutcome = {
  conditions: [condition('Issuing', 'False', 'NotDue', 'no certificate is due')],
}

async function issuedOutcome(
  context: Context,
  brand: Brand,
  keys: readonly StoredKey[],
  due: Finding,
  result: IssueResult,
): Promise<CertificateOutcome> {
  context.failedWith.forget(brand)
  switch (result.kind) {
    case 'issued': {
      const { revision } = result.key.record
      const note = `certificate ${revision} was issued`
      context.events.record(brand, { type: 'Normal', reason: 'Issued', action: 'Issue', note })
      const others = keys.filter(({ record }) => record.revision !== revision)
      return certified(context, brand, [...others, result.key], notDue)
    }
    case 'settling':
      return certified(context, brand, keys, {
        conditions: [
          condition('Issuing', 'True', 'AwaitingAnswer', 'Apple was asked; its answer has not been seen yet'),
        ],
        // What was asked for is used as soon as it is there; only asking again has to wait.
        requeueAfterMs: Math.min(result.waitMs, context.pace.retryFirstMs),
      })
    case 'handed-out':
      return certified(context, brand, keys, {
        conditions: [condition('Issuing', 'True', result.reason, `${due.message}; ${result.message}`)],
        status: { certificateSigningRequest: result.csrPem },
        requeueAfterMs: context.pace.manualPollMs,
      })
  }
}

async function findAppStore(context: Context, brand: Brand): Promise<AppStore | FindingError | undefined> {
  if (brand.spec.apple.mode === 'Manual') return undefined
  const found = await context.appStores.ofBrand(brand)
  return found.ok ? found.appStore : new FindingError(found.finding)
}

function failed(
  context: Context,
  brand: Brand,
  appStore: AppStore | FindingError | undefined,
  failure: PartFailure,
): PartOutcome {
  const { reason, message } = failure
  const isSameSpec = brand.status?.observedGeneration === brand.metadata.generation
  const before = isSameSpec ? (brand.status?.attempts ?? 0) : 0
  // To be told to wait is no failure of this brand's: the key's other brands have used up the rate.
  const attempts = reason === 'RateLimited' ? before : before + 1
  const delayMs = retryDelayMs(failure, attempts, context.pace.retryFirstMs)
  const nextAttemptTime = wholeSeconds(new Date(context.clock.nowMs() + delayMs + 999))
  context.failedWith.remember(brand, appStore)
  context.metrics.brands.failures.inc({ reason })
  context.events.record(brand, { type: 'Warning', reason, action: 'Issue', note: message })
  return {
    conditions: [condition('Issuing', 'True', reason, `${message}; next attempt ${nextAttemptTime}`)],
    status: { attempts, nextAttemptTime },
    requeueAfterMs: delayMs,
  }
}

/** What there is, together with how issuing went. */
function certified(
  context: Context,
  brand: Brand,
  keys: readonly StoredKey[],
  outcome: PartOutcome,
): CertificateOutcome {
  const input = inputOf(context, brand, keys)
  const record = currentRecord(input.records)
  const current = keys.find((key) => key.record === record)
  if (record === undefined || current === undefined) {
    const { reason, message } = whyIssue(input) ?? { reason: 'DoesNotExist', message: 'there is no certificate' }
    const conditions = [condition('CertificateReady', 'False', reason, message), ...outcome.conditions]
    return { ...outcome, conditions, current: undefined }
  }
  const { certificate } = record
  const renewalMs = renewalTimeMs(certificate, brand.spec.apple.renewBefore, brand.metadata.uid ?? '')
  const status: CertificateStatus = {
    revision: record.revision,
    secretName: record.secretName,
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint,
    notBefore: wholeSeconds(new Date(certificate.notBeforeMs)),
    notAfter: wholeSeconds(new Date(certificate.notAfterMs)),
    renewalTime: wholeSeconds(new Date(renewalMs)),
  }
  const lookAgainMs = Math.min(Math.max(renewalMs - input.nowMs, 1000), LOOK_AGAIN_MAX_MS)
  return {
    conditions: [certificateCondition(input, status), ...outcome.conditions],
    status: { ...outcome.status, certificate: status },
    requeueAfterMs: Math.min(outcome.requeueAfterMs ?? Number.POSITIVE_INFINITY, lookAgainMs),
    current,
  }
}

function certificateCondition(input: CertificateInput, { revision, notAfter }: CertificateStatus): ConditionChange {
  const due = whyIssue(input)
  // Being due for renewal does not make a certificate unfit.
  if (due !== undefined && due.reason !== 'Renewing')
    return condition('CertificateReady', 'False', due.reason, due.message)
  return condition('CertificateReady', 'True', 'Valid', `certificate ${revision} is valid until ${notAfter}`)
}

function inputOf(context: Context, brand: Brand, keys: readonly StoredKey[]): CertificateInput {
  const { certificateType, renewBefore } = brand.spec.apple
  return {
    nowMs: context.clock.nowMs(),
    uid: brand.metadata.uid ?? '',
    wanted: certificateType,
    renewBefore,
    records: keys.map(({ record }) => record),
  }
}

function retryState({ status }: Brand): RetryState | undefined {
  if (status?.nextAttemptTime === undefined) return undefined
  return {
    attempts: status.attempts ?? 0,
    nextAttemptMs: Date.parse(status.nextAttemptTime),
    generation: status.observedGeneration ?? 0,
  }
}
