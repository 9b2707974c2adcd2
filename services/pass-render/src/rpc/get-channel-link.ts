import { notFound } from '@stampede/platform'
import type { GetChannelLinkRequest, GetChannelLinkResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { findChannelLink } from '../store/channel-links.ts'
import { channelUrl, checkLinkId } from './put-channel-link.ts'
import { knownBrand } from './upsert-pass.ts'

/** A channel link and how many passes it handed out. */
export async function getChannelLink(
  context: Context,
  request: GetChannelLinkRequest,
): Promise<GetChannelLinkResponse> {
  const { brand } = knownBrand(context, request.brand)
  const linkId = checkLinkId(request.linkId)
  const row = await findChannelLink(context.database, brand, linkId)
  if (row === undefined) throw notFound()
  return { link: row.link, issued: row.issued, url: channelUrl(context, brand, linkId) }
}
