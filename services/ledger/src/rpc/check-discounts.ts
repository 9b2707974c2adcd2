import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { DiscountEffect, DiscountRule } from '@stampede/proto/programmes/v1'
import { checkGoods, checkTexts } from './check-programme.ts'
import { checkOneOf, FUNDER_CHARACTERS_MAX, idPattern, POINTS_MAX, TAG_CHARACTERS_MAX, TAGS_MAX } from './checks.ts'

const RULES_MAX = 100
const STORES_MAX = 1_000
const TIERS_MAX = 20
const MONTHS_MAX = 60
const PIECES_MAX = 1_000_000n
const amount = { min: 0n, max: POINTS_MAX }
const id = { min: 1, max: 40, pattern: idPattern }

/** Checks a programme's discounts; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkDiscountRules(list: readonly DiscountRule[], at: string): void {
  const rules = checkList(list, at, { max: RULES_MAX })
  const seen = new Set<string>()
  for (const [index, rule] of rules.entries()) {
    checkRule(rule, `${at}[${index}]`)
    if (seen.has(rule.ruleId)) throw invalidArgument(`${at}[${index}].rule_id`, 'is taken')
    seen.add(rule.ruleId)
  }
}

function checkRule(rule: DiscountRule, at: string): void {
  checkText(rule.ruleId, `${at}.rule_id`, id)
  if (rule.group !== '') checkText(rule.group, `${at}.group`, id)
  checkOneOf(rule.phase, `${at}.phase`, ['', 'item', 'basket'])
  checkEffect(rule.effect, `${at}.effect`)
  checkGoods(rule.goods, `${at}.goods`)
  checkGoods(rule.needs, `${at}.needs`)
  const pieces = rule.needs === undefined ? { min: 0n, max: 0n } : { min: 1n, max: PIECES_MAX }
  checkBigint(rule.needsPieces, `${at}.needs_pieces`, pieces)
  checkTexts(rule.stores, `${at}.stores`, STORES_MAX)
  checkTexts(rule.tiers, `${at}.tiers`, TIERS_MAX)
  checkTexts(rule.tags, `${at}.tags`, TAGS_MAX)
  checkText(rule.tender, `${at}.tender`, { max: TAG_CHARACTERS_MAX })
  checkText(rule.funder, `${at}.funder`, { max: FUNDER_CHARACTERS_MAX })
  if (rule.from !== undefined && rule.until !== undefined && rule.from >= rule.until) {
    throw invalidArgument(`${at}.until`, 'must be after from')
  }
  checkBigint(rule.spentMinor, `${at}.spent_minor`, amount)
  checkInt(rule.spentMonths, `${at}.spent_months`, { min: 0, max: MONTHS_MAX })
  checkBigint(rule.leastReceiptMinor, `${at}.least_receipt_minor`, amount)
  checkBigint(rule.limitMinor, `${at}.limit_minor`, amount)
  checkDecay(rule, at)
}

function checkDecay({ decay, effect, from }: DiscountRule, at: string): void {
  if (decay === undefined) return
  if (effect?.effect?.$case !== 'percentBasisPoints' || from === undefined) {
    throw invalidArgument(`${at}.decay`, 'needs a percentage and from')
  }
  checkInt(decay.stepDays, `${at}.decay.step_days`, { min: 1, max: 365 })
  checkInt(decay.factorBasisPoints, `${at}.decay.factor_basis_points`, { min: 1, max: 9_999 })
  checkInt(decay.endBasisPoints, `${at}.decay.end_basis_points`, { min: 0, max: 10_000 })
}

/** Checks what a discount does; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkEffect(message: DiscountEffect | undefined, at: string): void {
  const effect = message?.effect
  switch (effect?.$case) {
    case 'percentBasisPoints':
      checkInt(effect.value, `${at}.percent_basis_points`, { min: 1, max: 10_000 })
      return
    case 'amountMinor':
      checkBigint(effect.value, `${at}.amount_minor`, { ...amount, min: 1n })
      return
    case 'freePieces':
      checkInt(effect.value, `${at}.free_pieces`, { min: 1, max: 1_000 })
      return
    case 'priceMinor':
      checkBigint(effect.value, `${at}.price_minor`, amount)
      return
    case 'sets': {
      const { take, pay, basisPoints, setsMax } = effect.value
      checkInt(take, `${at}.sets.take`, { min: 2, max: 100 })
      checkInt(pay, `${at}.sets.pay`, { min: 1, max: take - 1 })
      checkInt(basisPoints, `${at}.sets.basis_points`, { min: 0, max: 10_000 })
      checkInt(setsMax, `${at}.sets.sets_max`, { min: 0, max: 1_000 })
      return
    }
    case undefined:
      throw invalidArgument(at, 'must be one of percent, amount, free pieces, sets, price')
  }
}
