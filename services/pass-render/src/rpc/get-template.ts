import { checkBrand, notFound } from '@stampede/platform'
import type { GetTemplateRequest, GetTemplateResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { findBrandState } from '../store/brand-state.ts'

/** The brand's present design. */
export async function getTemplate(context: Context, request: GetTemplateRequest): Promise<GetTemplateResponse> {
  const brand = checkBrand(request.brand)
  const state = await findBrandState(context.database, brand)
  const version = state?.template_version ?? 0
  const ready = await context.designs.get(brand, version)
  if (ready === undefined) throw notFound()
  return { template: ready.template, version }
}
