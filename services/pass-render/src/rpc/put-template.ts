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
import { lockBrandState, raiseDesign } from '../store/brand-state.ts'
import { findTemplateByKey, insertTemplate } from '../store/templates.ts'

/** Checks and publishes a new version of a brand's design. */
export async function putTemplate(context: Context, request: PutTemplateRequest): Promise<PutTemplateResponse> {
  const brandSlug = checkBrand(request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const template = checkPresent(request.template, 'template')
  const brand = context.brands.get(brandSlug)
  if (brand === undefined) throw notFound()
  const design = checkTemplate(template)
  const version = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    const state = await lockBrandState(tx, brandSlug, now)
    const earlier = await findTemplateByKey(tx, brandSlug, idempotencyKey)
    if (earlier !== undefined) {
      if (!sameTemplate(earlier.template, template)) throw idempotencyConflict()
      return earlier.version
    }
    const next = state.template_version + 1
    await insertTemplate(tx, brandSlug, { version: next, template, idempotencyKey }, now)
    const before = await context.designs.get(brandSlug, state.template_version)
    const googleObjects = before?.design.barcodes[0] !== design.barcodes[0] || before === undefined
    const change = { templateVersion: next, brandDigest: brandDigest(brand), googleObjects }
    const designVersion = await raiseDesign(tx, brandSlug, change, now)
    await writeGoogleClass(context, tx, brand, { design, templateVersion: next, designVersion })
    return next
  })
  context.relay.wake()
  return { version }
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
