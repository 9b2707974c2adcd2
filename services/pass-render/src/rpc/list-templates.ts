import { checkInt, invalidArgument } from '@stampede/platform'
import type { ListTemplatesRequest, ListTemplatesResponse } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { countPasses, listPublications } from '../store/publications.ts'
import { findTemplate } from '../store/templates.ts'
import { publicationMessage } from './template-message.ts'
import { knownBrand } from './upsert-pass.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100

/** Templates of a brand, in the order of their ids. */
export async function listTemplates(context: Context, request: ListTemplatesRequest): Promise<ListTemplatesResponse> {
  const { brand } = knownBrand(context, request.brand)
  const size =
    request.pageSize === 0 ? DEFAULT_PAGE : checkInt(request.pageSize, 'page_size', { min: 1, max: MAX_PAGE })
  const after = Buffer.from(request.pageToken, 'base64url').toString()
  if (!/^[a-z0-9-]{0,40}$/.test(after)) throw invalidArgument('page_token', 'is not one of ours')
  const publications = await listPublications(context.database, brand, after, size)
  const counts = await countPasses(
    context.database,
    brand,
    publications.map((item) => item.templateId),
  )
  const templates = await Promise.all(
    publications.map(async (item) => {
      const version = item.stableVersion === 0 ? item.newestVersion : item.stableVersion
      const row = await findTemplate(context.database, brand, item.templateId, version)
      return {
        templateId: item.templateId,
        style: row?.template.style || 'store_card',
        publication: publicationMessage(item),
        passes: counts.get(item.templateId) ?? 0n,
      }
    }),
  )
  const last = publications.at(-1)
  const isEnd = last === undefined || publications.length < size
  return { templates, nextPageToken: isEnd ? '' : Buffer.from(last.templateId).toString('base64url') }
}
