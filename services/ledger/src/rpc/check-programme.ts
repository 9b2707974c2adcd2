import { checkBigint, checkInt, checkList, checkText, invalidArgument } from '@stampede/platform'
import type { EarnRule, Goods, Life, Programme } from '@stampede/proto/programmes/v1'
import { checkCoalition } from './check-coalition.ts'
import { checkDiscountRules } from './check-discounts.ts'
import { checkGiftCards } from './check-gift-cards.ts'
import { checkLadder } from './check-ladder.ts'
import { checkPriceSets } from './check-price-sets.ts'
import { checkStampCards } from './check-stamp-cards.ts'
import { checkOneOf, FUNDER_CHARACTERS_MAX, idPattern, NUMBER_CHARACTERS_MAX, POINTS_MAX, TAGS_MAX } from './checks.ts'

const BASIS_POINTS_MAX = 10_000
const LIVE_DAYS_MAX = 3_650
const LIVE_MONTHS_MAX = 120
const WAIT_DAYS_MAX = 365
const DATES_MAX = 12
const dayOfYear =
  /^(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|[12]\d))$/
const POINT_VALUE_MAX = 1_000_000n
const HOLD_SECONDS_MAX = 86_400
const RULES_MAX = 100
const GOODS_MAX = 1_000
const STORES_MAX = 1_000
const PIECE_POINTS_MAX = 1_000_000n
const TIMES = { min: 101, max: 10_000 }
const id = { min: 1, max: 40, pattern: idPattern }
/** What explanations call the base and the limit of a receipt. */
const RESERVED_IDS = ['base', 'limit']

/** Checks what a programme says; throws INVALID_ARGUMENT naming the field. */
export function checkProgramme(programme: Programme): void {
  const field = (name: string) => `programme.${name}`
  const points = { min: 0n, max: POINTS_MAX }
  checkInt(programme.earnBasisPoints, field('earn_basis_points'), { min: 0, max: BASIS_POINTS_MAX })
  checkTerms(programme)
  checkDiscountRules(programme.discountRules, field('discount_rules'))
  checkInt(programme.maxDiscountBasisPoints, field('max_discount_basis_points'), { min: 0, max: BASIS_POINTS_MAX })
  checkInt(programme.leastPriceBasisPoints, field('least_price_basis_points'), { min: 0, max: BASIS_POINTS_MAX })
  checkStampCards(programme.stampCards, field('stamp_cards'))
  if (programme.coalition !== undefined) checkCoalition(programme.coalition, field('coalition'))
  if (programme.tiers !== undefined) checkLadder(programme.tiers, field('tiers'))
  if (programme.priceSets !== undefined) checkPriceSets(programme.priceSets, field('price_sets'))
  if (programme.giftCards !== undefined) checkGiftCards(programme.giftCards, field('gift_cards'))
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

function checkTerms(programme: Programme): void {
  const field = (name: string) => `programme.${name}`
  const { life, activation } = programme
  const days = { min: 1, max: LIVE_DAYS_MAX }
  if (life === undefined) checkInt(programme.pointsLiveDays, field('points_live_days'), days)
  else checkLife(life, programme.pointsLiveDays)
  const wait = { min: 1, max: WAIT_DAYS_MAX }
  if (activation?.when?.$case === 'delayDays') checkInt(activation.when.value, field('activation.delay_days'), wait)
  else if (activation?.when?.$case === 'eventTimeoutDays') {
    checkInt(activation.when.value, field('activation.event_timeout_days'), wait)
  } else if (activation !== undefined) {
    throw invalidArgument(field('activation'), 'must be delay_days or event_timeout_days, or left out')
  }
  checkOneOf(programme.returnPolicy, field('return_policy'), ['', 'unlimited', 'within_balance', 'only_pending'])
  checkOneOf(programme.restorePolicy, field('restore_policy'), ['', 'grace', 'original_expiry', 'new_term'])
  checkInt(programme.restoreDays, field('restore_days'), { min: 0, max: LIVE_DAYS_MAX })
  checkInt(programme.repayBasisPoints, field('repay_basis_points'), { min: 0, max: BASIS_POINTS_MAX })
  checkText(programme.funder, field('funder'), { max: FUNDER_CHARACTERS_MAX })
  for (const [name, value] of [
    ['debt_limit', programme.debtLimit],
    ['adjust_limit', programme.adjustLimit],
    ['transfer_limit', programme.transferLimit],
    ['offline_pay_limit', programme.offlinePayLimit],
  ] as const) {
    checkBigint(value, field(name), { min: 0n, max: POINTS_MAX })
  }
  const { startsAt, earnUntil, spendUntil } = programme
  if (startsAt !== undefined && earnUntil !== undefined && startsAt >= earnUntil) {
    throw invalidArgument(field('earn_until'), 'must be after starts_at')
  }
  if (spendUntil !== undefined && (earnUntil === undefined || earnUntil > spendUntil)) {
    throw invalidArgument(field('spend_until'), 'needs an earn_until that is not after it')
  }
}

function checkLife(life: Life, pointsLiveDays: number): void {
  const at = 'programme.life'
  if (pointsLiveDays !== 0) throw invalidArgument('programme.points_live_days', 'must be 0 with a life')
  switch (life.term?.$case) {
    case 'unlimited':
      if (!life.term.value) throw invalidArgument(`${at}.unlimited`, 'must be true')
      break
    case 'days':
      checkInt(life.term.value, `${at}.days`, { min: 1, max: LIVE_DAYS_MAX })
      break
    case 'months':
      checkInt(life.term.value, `${at}.months`, { min: 1, max: LIVE_MONTHS_MAX })
      break
    case 'dates':
      for (const [index, date] of checkList(life.term.value.dates, `${at}.dates`, {
        min: 1,
        max: DATES_MAX,
      }).entries()) {
        checkText(date, `${at}.dates[${index}]`, { pattern: dayOfYear })
      }
      break
    case undefined:
      throw invalidArgument(at, 'must be unlimited, days, months or dates')
  }
  checkOneOf(life.roundUpTo, `${at}.round_up_to`, ['', 'month', 'quarter', 'half_year', 'year'])
  if (life.sliding && life.term.$case !== 'days' && life.term.$case !== 'months') {
    throw invalidArgument(`${at}.sliding`, 'needs days or months')
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
  checkTexts(rule.tags, `${at}.tags`, TAGS_MAX)
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

/** Checks a choice of goods. */
export function checkGoods(goods: Goods | undefined, at: string): void {
  checkTexts(goods?.skus ?? [], `${at}.skus`, GOODS_MAX)
  checkTexts(goods?.categories ?? [], `${at}.categories`, GOODS_MAX)
}

/** Checks a list of names. */
export function checkTexts(texts: readonly string[], at: string, max: number): void {
  const list = checkList(texts, at, { max })
  for (const [index, text] of list.entries()) checkText(text, `${at}[${index}]`, { min: 1, max: NUMBER_CHARACTERS_MAX })
}
