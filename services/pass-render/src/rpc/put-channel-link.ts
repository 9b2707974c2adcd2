import {
  checkBigint,
  checkIdempotencyKey,
  checkInt,
  checkPresent,
  checkText,
  idempotencyConflict,
  invalidArgument,
  StampedeError,
} from '@stampede/platform'
import { ChannelLink, type PutChannelLinkRequest, type PutChannelLinkResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { MAX_LABEL_CHARS } from '../domain/details.ts'
import { qrSvg } from '../qr.ts'
import { findChannelLink, saveChannelLink } from '../store/channel-links.ts'
import { findPublications } from '../store/publications.ts'
import { checkTemplateId } from './template-message.ts'
import { knownBrand } from './upsert-pass.ts'

const MAX_PASSES = 1_000_000_000n
const MAX_VALID_DAYS = 3_650

/** Makes or replaces a public address that hands out anonymous passes. */
export async function putChannelLink(
  context: Context,
  request: PutChannelLinkRequest,
): Promise<PutChannelLinkResponse> {
  const { brand } = knownBrand(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const link = checkLink(request)
  await context.database.transaction(async (tx) => {
    const before = await findChannelLink(tx, brand, link.linkId)
    if (before?.idempotencyKey === key) {
      if (!sameLink(before.link, link)) throw idempotencyConflict()
      return
    }
    const [publication] = await findPublications(tx, brand, [link.templateId])
    if (publication === undefined || publication.stableVersion === 0) {
      const message = `the template ${link.templateId} is not published`
      throw new StampedeError('NOT_FOUND', message, { field: 'link.template_id' })
    }
    await saveChannelLink(tx, brand, link, key)
  })
  const url = channelUrl(context, brand, link.linkId)
  return { url, qrSvg: qrSvg(url) }
}

/** The public address of a link. */
export function channelUrl(context: Context, brand: string, linkId: string): string {
  return `${context.webUrl(brand)}/c/${brand}/${linkId}`
}

/** A link's slug; throws INVALID_ARGUMENT naming the field. */
export function checkLinkId(id: string, field = 'link_id'): string {
  if (!/^[a-z0-9-]{1,40}$/.test(id)) throw invalidArgument(field, 'must be 1 to 40 characters of a-z, 0-9 and -')
  return id
}

function checkLink(request: PutChannelLinkRequest): ChannelLink {
  const link = checkPresent(request.link, 'link')
  const linkId = checkLinkId(request.linkId)
  if (link.linkId !== '' && link.linkId !== linkId) throw invalidArgument('link.link_id', 'is another one')
  return {
    linkId,
    templateId: checkTemplateId(link.templateId, 'link.template_id'),
    channel: checkText(link.channel, 'link.channel', { max: MAX_LABEL_CHARS }),
    maxPasses: checkBigint(link.maxPasses, 'link.max_passes', { min: 0n, max: MAX_PASSES }),
    expiresAt: link.expiresAt,
    validDays: checkInt(link.validDays, 'link.valid_days', { min: 0, max: MAX_VALID_DAYS }),
  }
}

function sameLink(left: ChannelLink, right: ChannelLink): boolean {
  return Buffer.from(ChannelLink.encode(left).finish()).equals(Buffer.from(ChannelLink.encode(right).finish()))
}
