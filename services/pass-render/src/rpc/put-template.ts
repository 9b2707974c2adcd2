import { PkpassError, prepareImages } from '@stampede/pkpass'
import {
  checkBrand,
  checkIdempotencyKey,
  checkPresent,
  idempotencyConflict,
  invalidArgument,
  notFound,
} from '@stampede/platform'
import { type PutTemplateRequest, type PutTemplateResponse, Template } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { type Design, parseDesign } from '../domain/design.ts'
import { brandDigest, writeGoogleClass } from '../jobs/design-changes.ts'
import { lockBrandState, nextDesignSeq, setBrandDigest } from '../store/brand-state.ts'
import { findPublications, type Publication, savePublication } from '../store/publications.ts'
import { startRollout } from '../store/rollouts.ts'
import { findTemplateByKey, insertTemplate } from '../store/templates.ts'
import { checkTemplateId } from './template-message.ts'

/** Checks and publishes a new version of a brand's design. */
export async function putTemplate(context: Context, request: PutTemplateRequest): Promise<PutTemplateResponse> {
  const brandSlug = checkBrand(request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const templateId = checkTemplateId(request.templateId)
  const template = checkPresent(request.template, 'template')
  const brand = context.brands.get(brandSlug)
  if (brand === undefined) throw notFound()
  const design = checkTemplate(template)
  const version = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    await lockBrandState(tx, brandSlug)
    const earlier = await findTemplateByKey(tx, brandSlug, idempotencyKey)
    if (earlier !== undefined) {
      if (earlier.templateId !== templateId || !sameTemplate(earlier.template, template)) throw idempotencyConflict()
      return earlier.version
    }
    const [before = unpublished(templateId)] = await findPublications(tx, brandSlug, [templateId])
    const next = before.newestVersion + 1
    await insertTemplate(tx, brandSlug, { templateId, version: next, template, idempotencyKey }, now)
    if (request.draft) {
      await savePublication(tx, brandSlug, { ...before, newestVersion: next }, now)
      return next
    }
    const shown = await context.designs.get(brandSlug, templateId, before.stableVersion)
    const googleObjects = shown === undefined || shown.design.barcodes[0] !== design.barcodes[0]
    const seq = await nextDesignSeq(tx, brandSlug)
    await setBrandDigest(tx, brandSlug, brandDigest(brand))
    const published = { ...unpublished(templateId), newestVersion: next, stableVersion: next, stableSeq: seq }
    await savePublication(tx, brandSlug, published, now)
    await startRollout(tx, brandSlug, { templateId, seq, googleObjects })
    await writeGoogleClass(context, tx, brand, { design, templateId, version: next, seq })
    return next
  })
  context.relay.wake()
  return { version, findings: [] }
}

function unpublished(templateId: string): Publication {
  const nothing = { newestVersion: 0, stableVersion: 0, stableSeq: 0n, canaryVersion: 0, canarySeq: 0n }
  return { templateId, ...nothing, canaryPermille: 0 }
}

function checkTemplate(template: Template): Design {
  const parsed = parseDesign(template)
  if (!parsed.ok) throw invalidArgument(parsed.field, parsed.reason)
  try {
    prepareImages(template.images)
  } catch (error) {
    if (error instanceof PkpassError) throw invalidArgument(`template.images[${error.path}]`, error.message)
    throw error
  }
  return parsed.design
}

function sameTemplate(left: Template, right: Template): boolean {
  return canonical(left) === canonical(right)
}

// The order of a map's entries is not part of its meaning.
function canonical(template: Template): string {
  const names = Object.keys(template.images).sort()
  const images = names.map((name) => [name, Buffer.from(template.images[name] ?? '').toString('base64')])
  const rest = Buffer.from(Template.encode({ ...template, images: {} }).finish()).toString('base64')
  return JSON.stringify([rest, images])
}
