import {
  checkBrand,
  checkIdempotencyKey,
  checkPresent,
  failedPrecondition,
  idempotencyConflict,
  invalidArgument,
  notFound,
  type Sql,
} from '@stampede/platform'
import { type PutTemplateRequest, type PutTemplateResponse, Template } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import type { Design } from '../domain/design.ts'
import { lintTemplate } from '../domain/lint/lint.ts'
import { ALL_PERMILLE, type Publication, unpublished } from '../domain/publication.ts'
import { publishVersion } from '../publish-version.ts'
import { lockBrandState } from '../store/brand-state.ts'
import { findPublications, savePublication } from '../store/publications.ts'
import { findTemplate, findTemplateByKey, insertTemplate } from '../store/templates.ts'
import { checkTemplate } from './check-template.ts'
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
  await checkNfc(context, brand, design)
  const version = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    await lockBrandState(tx, brandSlug)
    const earlier = await findTemplateByKey(tx, brandSlug, idempotencyKey)
    if (earlier !== undefined) {
      if (earlier.templateId !== templateId || !sameTemplate(earlier.template, template)) throw idempotencyConflict()
      return earlier.version
    }
    const [before = unpublished(templateId)] = await findPublications(tx, brandSlug, [templateId])
    await checkStyle(tx, brandSlug, before, template)
    const next = before.newestVersion + 1
    await insertTemplate(tx, brandSlug, { templateId, version: next, template, idempotencyKey }, now)
    if (request.draft) {
      await savePublication(tx, brandSlug, { ...before, newestVersion: next }, now)
      return next
    }
    const published = { version: next, permille: ALL_PERMILLE, design }
    await publishVersion(context, tx, brand, { ...before, newestVersion: next }, published)
    return next
  })
  context.relay.wake()
  return { version, findings: [...lintTemplate(template, brand.googleIssuerId !== '')] }
}

/** A card that carries something for readers must be signed with an NFC certificate. */
async function checkNfc(context: Context, brand: BrandView, design: Design): Promise<void> {
  if (design.nfc === undefined) return
  const { state, nfc } = await context.signers.state(brand)
  if (state !== 'ok')
    throw failedPrecondition('the template carries NFC, and the brand has no Apple certificate that works')
  if (!nfc) throw failedPrecondition('the template carries NFC, and the brand’s Apple certificate is not an NFC one')
}

/** Google's ids are for ever, and so is what a card is there: another style is another template. */
async function checkStyle(
  tx: Sql,
  brand: string,
  { templateId, newestVersion }: Publication,
  template: Template,
): Promise<void> {
  const newest = newestVersion === 0 ? undefined : await findTemplate(tx, brand, templateId, newestVersion)
  const style = newest?.template.style
  if (style === undefined || (style || 'store_card') === (template.style || 'store_card')) return
  throw invalidArgument('template.style', `must stay ${style || 'store_card'}: another style is another template`)
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
