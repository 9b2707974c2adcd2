import type { Context } from '../context.ts'
import { type Brand, type BrandStatus, brands } from '../crd/brand.ts'
import { findConflict } from '../domain/conflicts.ts'
import { mergeConditions, parseKey, type Reconciled } from '../kernel/index.ts'
import { certificatePart } from './certificate.ts'
import { deletionPart, ensureFinalizer } from './deletion.ts'
import { domainPart } from './domain.ts'
import { googlePart } from './google.ts'
import { condition, failureOf, type PartOutcome } from './part.ts'
import { platformPart } from './platform.ts'
import { publishPart } from './publish.ts'

/** A conflict ends when the other Brand goes, of which nobody tells this one. */
const CONFLICT_AGAIN_MS = 60_000
const DELETION_AGAIN_MS = 30_000

/** Makes the world of one Brand as it should be. */
export async function reconcileBrand(context: Context, key: string): Promise<Reconciled> {
  // From the server, not from the cache: what is decided on may not be older than what was written last.
  const brand = await context.store.get(brands, parseKey(key))
  if (brand === undefined) {
    forget(context, key)
    return {}
  }
  if (brand.metadata.deletionTimestamp !== undefined) return remove(context, brand)
  const conflict = findConflict(brand, context.brands.list())
  if (conflict !== undefined) {
    await write(context, brand, [{ conditions: [condition('Ready', 'False', conflict.reason, conflict.message)] }])
    return { requeueAfterMs: CONFLICT_AGAIN_MS }
  }
  const held = await ensureFinalizer(context, brand)
  const parts = await runParts(context, held)
  await write(context, held, [...parts, { conditions: [readyCondition(parts)] }])
  const waits = parts.flatMap(({ requeueAfterMs }) => requeueAfterMs ?? [])
  return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) }
}

async function runParts(context: Context, brand: Brand): Promise<readonly PartOutcome[]> {
  const google = await googlePart(context, brand)
  const { current, ...certificate } = await certificatePart(context, brand)
  const published = await publishPart(context, brand, { apple: current, googleJson: google?.json })
  const platform = await platformPart(context, brand)
  const domain = await domainPart(context, brand)
  return [certificate, google, published, platform, domain].filter((part) => part !== undefined)
}

/** Ready: the certificate is valid and published, and everything else that was asked for is there. */
function readyCondition(parts: readonly PartOutcome[]) {
  const needed = parts.flatMap(({ conditions }) => conditions).filter(({ type }) => type !== 'Issuing')
  const wrong = needed.find(({ status }) => status !== 'True')
  if (wrong === undefined) return condition('Ready', 'True', 'Ready', 'passes can be signed and pushed')
  return condition('Ready', 'False', wrong.reason, `${wrong.type}: ${wrong.message}`)
}

async function write(context: Context, brand: Brand, parts: readonly PartOutcome[]): Promise<void> {
  const generation = brand.metadata.generation ?? 0
  const changes = parts.flatMap(({ conditions }) => conditions)
  const conditions = mergeConditions(brand.status?.conditions ?? [], changes, generation, context.clock.now())
  const { certificate, domains } = brand.status ?? {}
  const status: BrandStatus = {
    // What is published stays known when a reconcile could not look; the rest is as it was found now.
    ...(certificate && { certificate }),
    ...(domains && { domains }),
    ...Object.assign({}, ...parts.map((part) => part.status)),
    observedGeneration: generation,
    conditions,
  }
  await context.status.write(brands, brand, status)
  show(context, brand, status)
}

function show({ metrics }: Context, { metadata }: Brand, { certificate, conditions = [] }: BrandStatus): void {
  const labels = { brand: metadata.name }
  const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  metrics.brands.ready.set(labels, isReady ? 1 : 0)
  if (certificate === undefined) return
  metrics.brands.certificateExpirySeconds.set(labels, Date.parse(certificate.notAfter) / 1000)
  metrics.brands.certificateRenewalSeconds.set(labels, Date.parse(certificate.renewalTime) / 1000)
}

async function remove(context: Context, brand: Brand): Promise<Reconciled> {
  try {
    await deletionPart(context, brand)
    context.googleVerdicts.forget(brand.metadata.uid ?? '')
    context.failedWith.forget(brand)
    return {}
  } catch (error) {
    const { reason, message, retryAfterMs = 0 } = failureOf(error)
    context.events.record(brand, { type: 'Warning', reason, action: 'Delete', note: message })
    await write(context, brand, [{ conditions: [condition('Ready', 'False', 'Deleting', message)] }])
    return { requeueAfterMs: Math.max(DELETION_AGAIN_MS, retryAfterMs) }
  }
}

function forget(context: Context, key: string): void {
  const { name: brand } = parseKey(key)
  const { certificateExpirySeconds, certificateRenewalSeconds, ready } = context.metrics.brands
  for (const gauge of [certificateExpirySeconds, certificateRenewalSeconds, ready]) gauge.remove({ brand })
}
