import { checkIdempotencyKey, checkInt, idempotencyConflict, notFound, StampedeError } from '@stampede/platform'
import type { PublishTemplateRequest, PublishTemplateResponse } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { ALL_PERMILLE } from '../domain/publication.ts'
import { publishVersion } from '../publish-version.ts'
import { lockBrandState } from '../store/brand-state.ts'
import { findPublications } from '../store/publications.ts'
import { findPublishing, insertPublishing } from '../store/publishings.ts'
import { checkTemplateId, publicationMessage } from './template-message.ts'
import { knownBrand } from './upsert-pass.ts'

const MAX_VERSION = 2_147_483_647

/** Publishes a stored version to a share of the template's cards, or to all of them. */
export async function publishTemplate(
  context: Context,
  request: PublishTemplateRequest,
): Promise<PublishTemplateResponse> {
  const brand = knownBrand(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const templateId = checkTemplateId(request.templateId)
  const version = checkInt(request.version, 'version', { min: 1, max: MAX_VERSION })
  const share = checkInt(request.permille, 'permille', { min: 0, max: ALL_PERMILLE })
  const wish = { templateId, version, permille: share === 0 ? ALL_PERMILLE : share }
  const publication = await context.database.transaction(async (tx) => {
    await lockBrandState(tx, brand.brand)
    const [before] = await findPublications(tx, brand.brand, [templateId])
    if (before === undefined) throw notFound()
    const earlier = await findPublishing(tx, brand.brand, key)
    if (earlier !== undefined) {
      if (JSON.stringify(earlier) !== JSON.stringify(wish)) throw idempotencyConflict()
      return before
    }
    await insertPublishing(tx, brand.brand, key, wish, context.clock.now())
    const ready = await context.designs.get(brand.brand, templateId, version)
    if (ready === undefined) {
      throw new StampedeError('NOT_FOUND', `the template has no version ${version}`, { field: 'version' })
    }
    return await publishVersion(context, tx, brand, before, { ...wish, design: ready.design })
  })
  context.relay.wake()
  return { publication: publicationMessage(publication) }
}
