import { certificatePemOf, readCertificate } from '../apple/certificate.ts'
import type { AppStore } from '../apple/client.ts'
import { AppStoreError } from '../apple/errors.ts'
import { createCsr, pemOf } from '../apple/key.ts'
import type { Context } from '../context.ts'
import type { Brand } from '../crd/brand.ts'
import { nextRevision, pendingRecord } from '../domain/certificate.ts'
import { type IssuingState, type IssuingStep, nextStep } from '../domain/steps.ts'
import { secrets } from '../kernel/index.ts'
import {
  certificateFor,
  createKey,
  identityOf,
  markRequested,
  type StoredKey,
  storeCertificate,
} from './key-secrets.ts'
import { FindingError } from './part.ts'

/** How issuing went on. */
export type IssueResult =
  /** The key has its certificate now. */
  | { readonly kind: 'issued'; readonly key: StoredKey }
  /** The answer to a request is awaited. */
  | { readonly kind: 'settling'; readonly waitMs: number }
  /** A person has to take the request to Apple. */
  | { readonly kind: 'handed-out'; readonly csrPem: string; readonly reason: string; readonly message: string }

/** What issuing works with. */
export interface Issuing {
  readonly context: Context
  readonly brand: Brand
  readonly keys: readonly StoredKey[]
  /** Absent in mode Manual. */
  readonly appStore: AppStore | undefined
}

/** More steps than any way to a certificate has: a loop is a mistake of ours. */
const STEPS_MAX = 12

/**
 * Goes the way to a certificate step by step. Every step may be the last one before a crash, and each is safe to be
 * taken again. Throws AppStoreError and TemporaryError.
 */
export async function issue({ context, brand, keys, appStore }: Issuing): Promise<IssueResult> {
  const { apple } = brand.spec
  let pending = pendingOf(keys)
  let passType: string | null | undefined
  let found: string | null | undefined
  for (let taken = 0; taken < STEPS_MAX; taken += 1) {
    const state: IssuingState = {
      nowMs: context.clock.nowMs(),
      mode: apple.mode,
      passType,
      pending: pending?.record,
      found,
      settleMs: context.pace.settleMs,
    }
    const step = nextStep(state)
    context.metrics.brands.steps.inc({ step: step.kind })
    context.logger.debug({ brand: brand.metadata.name, step: step.kind }, 'a step of issuing')
    if (step.kind === 'settle') return { kind: 'settling', waitMs: step.untilMs - state.nowMs }
    if (step.kind === 'create-key') {
      pending = await createKey(context, brand, nextRevision(keys.map(({ record }) => record)))
    } else if (step.kind === 'find-pass-type') {
      passType = (await expect(appStore).findPassType(apple.passTypeIdentifier)) ?? null
    } else if (step.kind === 'create-pass-type') {
      passType = await createPassType(expect(appStore), brand)
      context.events.record(brand, {
        type: 'Normal',
        reason: 'PassTypeCreated',
        action: 'Issue',
        note: `pass type id ${apple.passTypeIdentifier} was created`,
      })
    } else if (pending !== undefined) {
      const result = await onKey(step, { context, brand, appStore, passType: passType ?? '' }, pending)
      if ('kind' in result) return result
      found = result.found
      pending = result.pending
    }
  }
  throw new Error(`issuing did not end within ${STEPS_MAX} steps`)
}

const awaitingCertificate = {
  reason: 'AwaitingCertificate',
  message:
    'take status.certificateSigningRequest to Apple and put the certificate into the Secret of certificateSecretRef',
}
const wrongCertificate = {
  reason: 'WrongCertificate',
  message: 'the certificate that was handed in is not for status.certificateSigningRequest',
}

interface KeyStepContext {
  readonly context: Context
  readonly brand: Brand
  readonly appStore: AppStore | undefined
  readonly passType: string
}

/** A refusal may mean that somebody has made it since it was looked for. */
async function createPassType(appStore: AppStore, brand: Brand): Promise<string> {
  const { passTypeIdentifier } = brand.spec.apple
  try {
    return await appStore.createPassType(passTypeIdentifier, nameAtApple(brand))
  } catch (error) {
    if (!(error instanceof AppStoreError) || error.code !== 'refused') throw error
    const found = await appStore.findPassType(passTypeIdentifier)
    if (found === undefined) throw error
    return found
  }
}

/** What a step has found for the key, and the key as it is stored now. */
interface KeyStepResult {
  readonly found: string | null
  readonly pending: StoredKey
}

/** A step with the key that waits. */
async function onKey(
  step: IssuingStep,
  { context, brand, appStore, passType }: KeyStepContext,
  pending: StoredKey,
): Promise<IssueResult | KeyStepResult> {
  switch (step.kind) {
    case 'look-for-certificate': {
      const contents = appStore
        ? (await appStore.listCertificates(passType)).map(({ content }) => content)
        : await handedIn(context, brand)
      return { found: certificateFor(pending, contents) ?? null, pending }
    }
    case 'request-certificate':
      return request(context, brand, expect(appStore), passType, pending)
    case 'store-certificate':
      return { kind: 'issued', key: await verifyAndStore(context, brand, pending, step.content) }
    case 'hand-out-request': {
      const isForeign = (await handedIn(context, brand)).length > 0
      const waiting = isForeign ? wrongCertificate : awaitingCertificate
      return { kind: 'handed-out', csrPem: pemOf('CERTIFICATE REQUEST', csrOf(brand, pending)), ...waiting }
    }
    default:
      throw new Error(`${step.kind} is no step of a key`)
  }
}

/** Asks Apple once, having noted that it does: after a crash the note keeps the next life from asking too early. */
async function request(
  context: Context,
  brand: Brand,
  appStore: AppStore,
  passType: string,
  pending: StoredKey,
): Promise<KeyStepResult> {
  const marked = await markRequested(context, brand, pending, context.clock.nowMs())
  const { certificateType } = brand.spec.apple
  let content: string
  try {
    content = await appStore.requestCertificate(passType, certificateType, csrOf(brand, marked))
  } catch (error) {
    if (error instanceof AppStoreError && error.hadNoEffect) await markRequested(context, brand, marked, undefined)
    throw error
  }
  const pem = certificatePemOf(Buffer.from(content))
  // Not stored: it will be looked for again, and read once it makes sense.
  if (pem === undefined) throw new AppStoreError('unavailable', 'App Store Connect answered no readable certificate')
  return { found: pem, pending: marked }
}

/** A certificate that does not fit is not stored: asking for another one would bring the same again. */
async function verifyAndStore(context: Context, brand: Brand, key: StoredKey, certPem: string): Promise<StoredKey> {
  const read = await readCertificate({ certPem, keyPem: key.keyPem, ...identityOf(brand) }, context.wwdrPems)
  if (!read.ok) throw new FindingError(read.finding)
  return storeCertificate(context, brand, key, certPem)
}

/** What was put where the Brand says, in mode Manual. */
async function handedIn(context: Context, brand: Brand): Promise<readonly string[]> {
  const ref = brand.spec.apple.certificateSecretRef
  if (ref === undefined) return []
  const secret = await context.store.get(secrets, { namespace: context.namespace, name: ref.name })
  const data = secret?.data?.[ref.key]
  const pem = data === undefined ? undefined : certificatePemOf(Buffer.from(data, 'base64'))
  return pem === undefined ? [] : [pem]
}

function pendingOf(keys: readonly StoredKey[]): StoredKey | undefined {
  const record = pendingRecord(keys.map((key) => key.record))
  return keys.find((key) => key.record === record)
}

function csrOf(brand: Brand, key: StoredKey): Buffer {
  return createCsr(key.keyPem, brand.spec.apple.passTypeIdentifier)
}

/** Apple takes letters, digits and spaces only. */
function nameAtApple(brand: Brand): string {
  const plain = brand.spec.displayName
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9 ]/g, '')
    .trim()
  return plain === '' ? brand.metadata.name.replaceAll('-', ' ') : plain
}

function expect(appStore: AppStore | undefined): AppStore {
  if (appStore === undefined) throw new Error('mode Manual asks Apple for nothing')
  return appStore
}
