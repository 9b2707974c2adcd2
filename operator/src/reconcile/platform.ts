import { randomUUID } from 'node:crypto'
import { StampedeError } from '@stampede/platform'
import type { Brand as PlatformBrand } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import type { Brand } from '../crd/brand.ts'
import { condition, failureOf, type PartOutcome } from './part.ts'

type Enrollment = NonNullable<Context['enrollment']>

/** After the platform did not answer. */
const AGAIN_MS = 15_000
/** After it refused what the Brand says. */
const REFUSED_AGAIN_MS = 10 * 60_000

/** Keeps the brand's row in the platform as the Brand says; undefined when that is not the operator's business. */
export async function platformPart(context: Context, brand: Brand): Promise<PartOutcome | undefined> {
  const { enrollment } = context
  if (enrollment === undefined) return undefined
  try {
    await ensureRow(enrollment, brand)
    return { conditions: [condition('PlatformReady', 'True', 'Stored', 'the platform knows the brand')] }
  } catch (error) {
    const { reason, message, temporary } = failureOf(error)
    context.metrics.brands.failures.inc({ reason })
    context.events.record(brand, { type: 'Warning', reason, action: 'StoreBrand', note: message })
    return {
      conditions: [condition('PlatformReady', 'False', reason, message)],
      requeueAfterMs: temporary ? AGAIN_MS : REFUSED_AGAIN_MS,
    }
  }
}

async function ensureRow(enrollment: Enrollment, brand: Brand): Promise<void> {
  const wanted = wantedOf(brand)
  const stored = await find(enrollment, wanted.brand)
  // A key of its own each time: what was changed by others meanwhile has to be set right again.
  const idempotencyKey = `operator-${randomUUID()}`
  if (stored === undefined) {
    await enrollment.createBrand({ idempotencyKey, brand: wanted })
    return
  }
  const next = { ...stored, ...wanted }
  const differs = Object.entries(wanted).some(([field, value]) => stored[field as keyof PlatformBrand] !== value)
  if (differs) await enrollment.updateBrand({ idempotencyKey, brand: next })
}

async function find(enrollment: Enrollment, brand: string): Promise<PlatformBrand | undefined> {
  try {
    return (await enrollment.getBrand({ brand })).brand
  } catch (error) {
    if (error instanceof StampedeError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** What the Brand decides; the rest of the row, such as push settings, is others'. */
function wantedOf({ metadata, spec }: Brand) {
  return {
    brand: metadata.name,
    name: spec.displayName,
    timeZone: spec.timeZone,
    currency: spec.currency,
    passTypeId: spec.apple.passTypeIdentifier,
    teamId: spec.apple.teamId,
    weight: spec.weight,
    maxBulkPerSecond: spec.maxBulkPerSecond,
    contact: spec.contact,
    domain: spec.domain ?? '',
    ...(spec.google !== undefined && { googleIssuerId: spec.google.issuerId }),
  }
}
