import type {
  EarnRule as EarnRuleMessage,
  Goods as GoodsMessage,
  Programme as ProgrammeMessage,
} from '@stampede/proto/ledger/v1'
import type { EarnEffect, EarnRule, Goods, Programme } from './domain/programme.ts'

/** What a programme says, apart from its version. */
export type ProgrammeRules = Omit<Programme, 'version' | 'effectiveAtMs'>

const HOLD_SECONDS_DEFAULT = 900

/** A checked message as the domain knows it. */
export function rulesOf(message: ProgrammeMessage): ProgrammeRules {
  return {
    earnBasisPoints: BigInt(message.earnBasisPoints),
    life: { term: { kind: 'days', days: message.pointsLiveDays }, roundUpTo: undefined, isSliding: false },
    activation: { kind: 'immediate' },
    returnPolicy: 'unlimited',
    restorePolicy: { kind: 'grace', days: 14 },
    repayBasisPoints: 10_000n,
    debtLimit: undefined,
    funder: '',
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

function earnRuleOf(message: EarnRuleMessage): EarnRule {
  const { ruleId, goods, stores, from, until, limit, group } = message
  return {
    ruleId,
    goods: goods === undefined ? undefined : goodsOf(goods),
    stores: new Set(stores),
    fromMs: from?.getTime() ?? Number.NEGATIVE_INFINITY,
    untilMs: until?.getTime() ?? Number.POSITIVE_INFINITY,
    effect: effectOf(message.effect),
    limit: limitOf(limit),
    group,
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

function goodsOf(message: GoodsMessage | undefined): Goods {
  return { skus: new Set(message?.skus), categories: new Set(message?.categories) }
}

function limitOf(limit: bigint): bigint | undefined {
  return limit === 0n ? undefined : limit
}
