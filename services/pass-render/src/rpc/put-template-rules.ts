import { checkIdempotencyKey, checkList, checkText, idempotencyConflict, StampedeError } from '@stampede/platform'
import type { PutTemplateRulesRequest, PutTemplateRulesResponse } from '@stampede/proto/templates/v1'
import type { Context } from '../context.ts'
import { MAX_LABEL_CHARS } from '../domain/details.ts'
import type { TemplateRule } from '../domain/rules.ts'
import { lockBrandState } from '../store/brand-state.ts'
import { findPublications } from '../store/publications.ts'
import { findRulesByKey, insertRules } from '../store/rules.ts'
import { startRulesWalk } from '../store/rules-walks.ts'
import { checkTemplateId } from './template-message.ts'
import { knownBrand } from './upsert-pass.ts'

const MAX_RULES = 1_000

/** Replaces the rules that pick templates; installed cards follow at the pace that the answers can bear. */
export async function putTemplateRules(
  context: Context,
  request: PutTemplateRulesRequest,
): Promise<PutTemplateRulesResponse> {
  const { brand } = knownBrand(context, request.brand)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const rules = checkRules(request)
  const version = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    const state = await lockBrandState(tx, brand)
    const earlier = await findRulesByKey(tx, brand, idempotencyKey)
    if (earlier !== undefined) {
      if (JSON.stringify(earlier.rules) !== JSON.stringify(rules)) throw idempotencyConflict()
      return earlier.version
    }
    const published = new Set((await findPublications(tx, brand)).map((item) => item.templateId))
    for (const [index, { templateId }] of rules.entries()) {
      if (published.has(templateId)) continue
      const field = `rules[${index}].template_id`
      throw new StampedeError('NOT_FOUND', `the template ${templateId} is not there`, { field })
    }
    const next = state.rules_version + 1
    await insertRules(tx, brand, { version: next, rules, idempotencyKey }, now)
    await startRulesWalk(tx, brand, next)
    return next
  })
  return { version }
}

function checkRules(request: PutTemplateRulesRequest): readonly TemplateRule[] {
  checkList(request.rules, 'rules', { max: MAX_RULES })
  return request.rules.map((rule, index) => {
    const label = (name: 'tier' | 'segment' | 'channel') =>
      checkText(rule[name], `rules[${index}].${name}`, { max: MAX_LABEL_CHARS })
    const templateId = checkTemplateId(rule.templateId, `rules[${index}].template_id`)
    return { tier: label('tier'), segment: label('segment'), channel: label('channel'), templateId }
  })
}
