import { PkpassError, prepareAssets } from '@stampede/pkpass'
import { checkPresent } from '@stampede/platform'
import type { LintTemplateRequest, LintTemplateResponse, Template } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { type Finding, lintTemplate as lint } from '../domain/lint/lint.ts'
import { parityGaps } from '../domain/lint/parity.ts'
import { knownBrand } from './upsert-pass.ts'

/** Checks a template against the limits of Apple and Google without storing it. */
export async function lintTemplate(context: Context, request: LintTemplateRequest): Promise<LintTemplateResponse> {
  const brand = knownBrand(context, request.brand)
  const template = checkPresent(request.template, 'template')
  const findings = [...lint(template, brand.googleIssuerId !== ''), ...lintImages(template)]
  return { findings, gaps: [...parityGaps(template)] }
}

function lintImages({ images }: Template): readonly Finding[] {
  try {
    prepareAssets(images)
    return []
  } catch (error) {
    if (!(error instanceof PkpassError)) throw error
    const field = `template.images[${error.path}]`
    return [{ severity: 'error', field, reason: error.message, wallet: 'apple' }]
  }
}
