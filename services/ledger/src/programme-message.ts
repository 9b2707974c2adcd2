import type {
  Activation as ActivationMessage,
  Coalition as CoalitionMessage,
  EarnRule as EarnRuleMessage,
  GiftCardRules as GiftCardRulesMessage,
  PriceSetRules as PriceSetRulesMessage,
  Programme as ProgrammeMessage,
  StampCard as StampCardMessage,
} from '@stampede/proto/programmes/v1'
import { discountRuleOf, goodsOf, limitOf } from './discount-message.ts'
import type { Coalition } from './domain/coalition.ts'
import type { PriceSetRules } from './domain/discounts/member-prices.ts'
import type { GiftCardRules } from './domain/gift-cards/rules.ts'
import type {
  Activation,
  EarnEffect,
  EarnRule,
  Life,
  Programme,
  RestorePolicy,
  ReturnPolicy,
} from './domain/programme.ts'
import type { StampCard } from './domain/stamps/card.ts'
import { ladderOf } from './ladder-message.ts'

/** What a programme says, apart from its version. */
export type ProgrammeRules = Omit<Programme, 'version' | 'effectiveAtMs'>

const HOLD_SECONDS_DEFAULT = 900
const RESTORE_DAYS_DEFAULT = 14
const ALL = 10_000n

/** A checked message as the domain knows it. */
export function rulesOf(message: ProgrammeMessage): ProgrammeRules {
  return {
    earnBasisPoints: BigInt(message.earnBasisPoints),
    life: lifeOf(message),
    activation: activationOf(message.activation),
    returnPolicy: message.returnPolicy === '' ? 'unlimited' : (message.returnPolicy as ReturnPolicy),
    restorePolicy: restorePolicyOf(message),
    repayBasisPoints: message.repayBasisPoints === 0 ? ALL : BigInt(message.repayBasisPoints),
    debtLimit: limitOf(message.debtLimit),
    funder: message.funder,
    startsAtMs: message.startsAt?.getTime() ?? Number.NEGATIVE_INFINITY,
    earnUntilMs: message.earnUntil?.getTime() ?? Number.POSITIVE_INFINITY,
    spendUntilMs: message.spendUntil?.getTime() ?? Number.POSITIVE_INFINITY,
    adjustLimit: message.adjustLimit,
    transferLimit: message.transferLimit,
    offlinePayLimit: message.offlinePayLimit,
    ladder: message.tiers === undefined ? undefined : ladderOf(message.tiers),
    discountRules: message.discountRules.map(discountRuleOf),
    discountLimits: {
      receiptBasisPoints: message.maxDiscountBasisPoints === 0 ? ALL : BigInt(message.maxDiscountBasisPoints),
      lineLeastBasisPoints: BigInt(message.leastPriceBasisPoints),
    },
    priceSets: priceSetRulesOf(message.priceSets),
    stampCards: message.stampCards.map(stampCardOf),
    coalition: coalitionOf(message.coalition),
    giftCards: giftCardRulesOf(message.giftCards),
    maxPayBasisPoints: BigInt(message.maxPayBasisPoints),
    pointValueMinor: message.pointValueMinor,
    holdSeconds: message.holdSeconds === 0 ? HOLD_SECONDS_DEFAULT : message.holdSeconds,
    earnRules: message.earnRules.map(earnRuleOf),
    earnsNothing: goodsOf(message.earnsNothing),
    neverPaid: goodsOf(message.neverPaid),
    earnLimit: limitOf(message.earnLimit),
    payStep: message.payStep === 0n ? 1n : message.payStep,
    payLeastPoints: message.payLeastPoints,
    payLeastReceiptMinor: message.payLeastReceiptMinor,
  }
}

function priceSetRulesOf(message: PriceSetRulesMessage | undefined): PriceSetRules | undefined {
  if (message === undefined) return undefined
  const { excluded, unitsPerDay, ...rules } = message
  return { ...rules, excluded: goodsOf(excluded), unitsPerDay: limitOf(unitsPerDay) }
}

function coalitionOf(message: CoalitionMessage | undefined): Coalition | undefined {
  if (message === undefined) return undefined
  const rateOf = (basisPoints: number | undefined) => (basisPoints === undefined ? undefined : BigInt(basisPoints))
  return {
    participants: message.participants.map(({ participantId, stores, earnBasisPoints, maxPayBasisPoints }) => ({
      participantId,
      stores: new Set(stores),
      earnBasisPoints: rateOf(earnBasisPoints),
      maxPayBasisPoints: rateOf(maxPayBasisPoints),
    })),
    operator: message.operator,
    feeBasisPoints: BigInt(message.feeBasisPoints),
  }
}

function stampCardOf(message: StampCardMessage): StampCard {
  const { cardId, goods, stores, from, until, amountMinor, target, receiptLimit, rewardCampaignId } = message
  return {
    cardId,
    goods: goods === undefined ? undefined : goodsOf(goods),
    stores: new Set(stores),
    fromMs: from?.getTime() ?? Number.NEGATIVE_INFINITY,
    untilMs: until?.getTime() ?? Number.POSITIVE_INFINITY,
    amountMinor: limitOf(amountMinor),
    target: BigInt(target),
    receiptLimit: limitOf(BigInt(receiptLimit)),
    rewardCampaignId: rewardCampaignId === '' ? undefined : rewardCampaignId,
    liveDays: message.liveDays,
    funder: message.funder,
  }
}

function giftCardRulesOf(message: GiftCardRulesMessage | undefined): GiftCardRules | undefined {
  if (message === undefined) return undefined
  const { valuesMinor, liveDays, pin: hasPin, reloadMostMinor } = message
  return { valuesMinor, liveDays, hasPin, reloadMostMinor }
}

function lifeOf({ life, pointsLiveDays }: ProgrammeMessage): Life {
  const roundUpTo = life === undefined || life.roundUpTo === '' ? undefined : (life.roundUpTo as Life['roundUpTo'])
  const isSliding = life?.sliding ?? false
  switch (life?.term?.$case) {
    case 'unlimited':
      return { term: { kind: 'unlimited' }, roundUpTo, isSliding }
    case 'days':
      return { term: { kind: 'days', days: life.term.value }, roundUpTo, isSliding }
    case 'months':
      return { term: { kind: 'months', months: life.term.value }, roundUpTo, isSliding }
    case 'dates':
      return { term: { kind: 'dates', dates: life.term.value.dates }, roundUpTo, isSliding }
    case undefined:
      return { term: { kind: 'days', days: pointsLiveDays }, roundUpTo, isSliding }
  }
}

function activationOf(message: ActivationMessage | undefined): Activation {
  switch (message?.when?.$case) {
    case 'delayDays':
      return { kind: 'delay', days: message.when.value }
    case 'eventTimeoutDays':
      return { kind: 'event', timeoutDays: message.when.value }
    case undefined:
      return { kind: 'immediate' }
  }
}

function restorePolicyOf({ restorePolicy, restoreDays }: ProgrammeMessage): RestorePolicy {
  if (restorePolicy === 'original_expiry' || restorePolicy === 'new_term') return { kind: restorePolicy }
  return { kind: 'grace', days: restoreDays === 0 ? RESTORE_DAYS_DEFAULT : restoreDays }
}

function earnRuleOf(message: EarnRuleMessage): EarnRule {
  const { ruleId, goods, stores, from, until, limit, group, tags } = message
  return {
    ruleId,
    goods: goods === undefined ? undefined : goodsOf(goods),
    stores: new Set(stores),
    fromMs: from?.getTime() ?? Number.NEGATIVE_INFINITY,
    untilMs: until?.getTime() ?? Number.POSITIVE_INFINITY,
    effect: effectOf(message.effect),
    limit: limitOf(limit),
    group,
    ...(tags.length === 0 ? {} : { tags: new Set(tags) }),
  }
}

function effectOf(effect: EarnRuleMessage['effect']): EarnEffect {
  switch (effect?.$case) {
    case 'timesHundredths':
      return { kind: 'times', hundredths: BigInt(effect.value) }
    case 'addedBasisPoints':
      return { kind: 'added', basisPoints: BigInt(effect.value) }
    case 'pointsPerPiece':
      return { kind: 'piece', points: effect.value }
    case undefined:
      throw new Error('a stored rule has no effect')
  }
}
