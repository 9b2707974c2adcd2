import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { EarnRule, Goods, Programme } from '@stampede/proto/ledger/v1'
import { NUMBER_CHARACTERS_MAX, POINTS_MAX } from './checks.ts'

const BASIS_POINTS_MAX = 10_000
const LIVE_DAYS_MAX = 3_650
const POINT_VALUE_MAX = 1_000_000n
const HOLD_SECONDS_MAX = 86_400
const RULES_MAX = 100
const GOODS_MAX = 1_000
const STORES_MAX = 1_000
const PIECE_POINTS_MAX = 1_000_000n
const TIMES = { min: 101, max: 10_000 }
const id = { min: 1, max: 40, pattern: /^[a-z0-9-]+$/ }
/** What explanations call the base and the limit of a receipt. */
const RESERVED_IDS = ['base', 'limit']

/** Checks what a programme says; throws INVALID_ARGUMENT naming the field. */
export function checkProgramme(programme: Programme): void {
  const field = (name: string) => `programme.${name}`
  const points = { min: 0n, max: POINTS_MAX }
  checkInt(programme.earnBasisPoints, field('earn_basis_points'), { min: 0, max: BASIS_POINTS_MAX })
  checkInt(programme.pointsLiveDays, field('points_live_days'), { min: 1, max: LIVE_DAYS_MAX })
  checkInt(programme.maxPayBasisPoints, field('max_pay_basis_points'), { min: 0, max: BASIS_POINTS_MAX })
  checkBigint(programme.pointValueMinor, field('point_value_minor'), { min: 1n, max: POINT_VALUE_MAX })
  checkInt(programme.holdSeconds, field('hold_seconds'), { min: 0, max: HOLD_SECONDS_MAX })
  checkGoods(programme.earnsNothing, field('earns_nothing'))
  checkGoods(programme.neverPaid, field('never_paid'))
  checkBigint(programme.earnLimit, field('earn_limit'), points)
  checkBigint(programme.payStep, field('pay_step'), points)
  checkBigint(programme.payLeastReceiptMinor, field('pay_least_receipt_minor'), points)
  const least = checkBigint(programme.payLeastPoints, field('pay_least_points'), points)
  if (programme.payStep > 1n && least % programme.payStep !== 0n) {
    throw invalidArgument(field('pay_least_points'), 'must be a multiple of pay_step')
  }
  const rules = checkList(programme.earnRules, field('earn_rules'), { max: RULES_MAX })
  const seen = new Set(RESERVED_IDS)
  for (const [index, rule] of rules.entries()) {
    checkRule(rule, field(`earn_rules[${index}]`))
    if (seen.has(rule.ruleId)) throw invalidArgument(field(`earn_rules[${index}].rule_id`), 'is taken')
    seen.add(rule.ruleId)
  }
}

function checkRule(rule: EarnRule, at: string): void {
  checkText(rule.ruleId, `${at}.rule_id`, id)
  if (rule.group !== '') checkText(rule.group, `${at}.group`, id)
  checkGoods(rule.goods, `${at}.goods`)
  if (rule.goods !== undefined && rule.goods.skus.length + rule.goods.categories.length === 0) {
    throw invalidArgument(`${at}.goods`, 'must name goods, or be left out for all')
  }
  checkTexts(rule.stores, `${at}.stores`, STORES_MAX)
  if (rule.from !== undefined && rule.until !== undefined && rule.from >= rule.until) {
    throw invalidArgument(`${at}.until`, 'must be after from')
  }
  checkBigint(rule.limit, `${at}.limit`, { min: 0n, max: POINTS_MAX })
  checkEffect(rule.effect, at)
}

function checkEffect(effect: EarnRule['effect'], at: string): void {
  switch (effect?.$case) {
    case 'timesHundredths':
      checkInt(effect.value, `${at}.times_hundredths`, TIMES)
      return
    case 'addedBasisPoints':
      checkInt(effect.value, `${at}.added_basis_points`, { min: 1, max: BASIS_POINTS_MAX })
      return
    case 'pointsPerPiece':
      checkBigint(effect.value, `${at}.points_per_piece`, { min: 1n, max: PIECE_POINTS_MAX })
      return
    case undefined:
      throw invalidArgument(`${at}.effect`, 'must be times_hundredths, added_basis_points or points_per_piece')
  }
}

function checkGoods(goods: Goods | undefined, at: string): void {
  checkTexts(goods?.skus ?? [], `${at}.skus`, GOODS_MAX)
  checkTexts(goods?.categories ?? [], `${at}.categories`, GOODS_MAX)
}

function checkTexts(texts: readonly string[], at: string, max: number): void {
  const list = checkList(texts, at, { max })
  for (const [index, text] of list.entries()) checkText(text, `${at}[${index}]`, { min: 1, max: NUMBER_CHARACTERS_MAX })
}
