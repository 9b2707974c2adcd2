import type { Template } from '@stampede/proto/templates/v1'
import { type Finding, warning } from './lint.ts'

/** Lengths that Google recommends, in characters. */
const MAX_NAME_CHARS = 20
const MAX_POINTS_LABEL_CHARS = 9
const MAX_LINK_CHARS = 20

/** Warnings about what Google would cut off or refuse later. */
export function lintGoogle(template: Template): readonly Finding[] {
  const findings: Finding[] = []
  const warn = (field: string, reason: string) => findings.push(warning('google', field, reason))
  if ([...template.logoText].length > MAX_NAME_CHARS) warn('logo_text', `is cut off after ${MAX_NAME_CHARS} characters`)
  if (template.googleLogoUrl === '')
    warn('google_logo_url', 'is missing: the card’s own logo is served to Google instead')
  for (const field of ['google_logo_url', 'google_hero_url'] as const) {
    const url = field === 'google_logo_url' ? template.googleLogoUrl : template.googleHeroUrl
    if (url.startsWith('http://')) warn(field, 'should be https')
  }
  for (const [index, { label }] of template.links.entries()) {
    if ([...label].length > MAX_LINK_CHARS) warn(`links[${index}].label`, `is best within ${MAX_LINK_CHARS} characters`)
  }
  const points = template.primaryFields.findIndex((field) => field.value === '{points}')
  if ([...(template.primaryFields[points]?.label ?? '')].length > MAX_POINTS_LABEL_CHARS) {
    warn(`primary_fields[${points}].label`, `is best within ${MAX_POINTS_LABEL_CHARS} characters`)
  }
  return findings
}
