import { checkBrand, checkInt, notFound } from '@stampede/platform'
import type { GetTemplateRequest, GetTemplateResponse } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { findPublications } from '../store/publications.ts'
import { findTemplate } from '../store/templates.ts'
import { checkTemplateId, publicationMessage } from './template-message.ts'

const MAX_VERSION = 2_147_483_647

/** A version of a template; without a version the one that most of its cards show. */
export async function getTemplate(context: Context, request: GetTemplateRequest): Promise<GetTemplateResponse> {
  const brand = checkBrand(request.brand)
  const templateId = checkTemplateId(request.templateId)
  const wanted = checkInt(request.version, 'version', { min: 0, max: MAX_VERSION })
  const [publication] = await findPublications(context.database, brand, [templateId])
  if (publication === undefined) throw notFound()
  const version = wanted === 0 ? publication.stableVersion : wanted
  const row = await findTemplate(context.database, brand, templateId, version)
  if (row === undefined) throw notFound()
  return { template: row.template, version, publication: publicationMessage(publication) }
}
