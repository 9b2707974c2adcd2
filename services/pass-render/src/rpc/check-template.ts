import { PkpassError, prepareAssets } from '@stampede/pkpass'
import { invalidArgument } from '@stampede/platform'
import type { Template } from '@stampede/proto/templates/v1'
import { type Design, parseDesign } from '../domain/design.ts'
import { languagesOf } from '../domain/translated.ts'

/** The design of a template, its images checked too; throws INVALID_ARGUMENT naming the first faulty field. */
export function checkTemplate(template: Template): Design {
  const parsed = parseDesign(template)
  if (!parsed.ok) throw invalidArgument(parsed.faults[0].field, parsed.faults[0].reason)
  try {
    prepareAssets(template.images, languagesOf(template))
  } catch (error) {
    if (error instanceof PkpassError) throw invalidArgument(`template.images[${error.path}]`, error.message)
    throw error
  }
  return parsed.design
}
