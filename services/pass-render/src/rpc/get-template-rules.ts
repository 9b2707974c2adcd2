import type { GetTemplateRulesRequest, GetTemplateRulesResponse } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { findRules } from '../store/rules.ts'
import { knownBrand } from './upsert-pass.ts'

/** The rules in force; version 0 without any. */
export async function getTemplateRules(
  context: Context,
  request: GetTemplateRulesRequest,
): Promise<GetTemplateRulesResponse> {
  const { brand } = knownBrand(context, request.brand)
  const { version, rules } = await findRules(context.database, brand)
  return { version, rules: [...rules] }
}
