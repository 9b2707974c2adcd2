import { invalidArgument } from '@stampede/platform'
import type { Publication as PublicationMessage } from '@stampede/proto/templates/v1'
import { DEFAULT_TEMPLATE_ID } from '../domain/card.ts'
import type { Publication } from '../domain/publication.ts'

/** A template's slug; empty stands for the template of members. Throws INVALID_ARGUMENT naming the field. */
export function checkTemplateId(id: string, field = 'template_id'): string {
  if (id === '') return DEFAULT_TEMPLATE_ID
  if (!/^[a-z0-9-]{1,40}$/.test(id)) throw invalidArgument(field, 'must be 1 to 40 characters of a-z, 0-9 and -')
  return id
}

/** A publication as callers see it. */
export function publicationMessage(item: Publication): PublicationMessage {
  const { stableVersion, newestVersion } = item
  // After a promotion or a roll-back its cards show the stable version.
  const isCanary = item.canaryVersion !== stableVersion
  const canary = { canaryVersion: item.canaryVersion, canaryPermille: item.canaryPermille }
  return { stableVersion, newestVersion, ...(isCanary ? canary : { canaryVersion: 0, canaryPermille: 0 }) }
}
