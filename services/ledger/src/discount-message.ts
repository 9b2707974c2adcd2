import type {
  DiscountEffect as EffectMessage,
  Goods as GoodsMessage,
  DiscountRule as RuleMessage,
} from '@stampede/proto/programmes/v1'
import type { DiscountEffect } from './domain/discounts/effects.ts'
import type { DiscountRule } from './domain/discounts/rules.ts'
import type { Goods } from './domain/programme.ts'

const SETS_DEFAULT = 1_000
const FREE = 10_000n

/** A checked rule as the domain knows it. */
export function discountRuleOf(message: RuleMessage): DiscountRule {
  const { decay, goods, needs } = message
  return {
    ruleId: message.ruleId,
    phase: message.phase === 'basket' ? 'basket' : 'item',
    effect: effectOf(message.effect),
    decay:
      decay === undefined
        ? undefined
        : {
            stepDays: decay.stepDays,
            factorBasisPoints: BigInt(decay.factorBasisPoints),
            endBasisPoints: BigInt(decay.endBasisPoints),
          },
    goods: goods === undefined ? undefined : goodsOf(goods),
    needs: needs === undefined ? undefined : { goods: goodsOf(needs), pieces: message.needsPieces },
    stores: new Set(message.stores),
    fromMs: message.from?.getTime() ?? Number.NEGATIVE_INFINITY,
    untilMs: message.until?.getTime() ?? Number.POSITIVE_INFINITY,
    tiers: new Set(message.tiers),
    tags: new Set(message.tags),
    tender: message.tender,
    spent: message.spentMinor === 0n ? undefined : { fromMinor: message.spentMinor, months: message.spentMonths },
    leastReceiptMinor: message.leastReceiptMinor,
    limitMinor: limitOf(message.limitMinor),
    group: message.group,
    isExclusive: message.exclusive,
    funder: message.funder,
  }
}

/** A checked effect as the domain knows it. */
export function effectOf(message: EffectMessage | undefined): DiscountEffect {
  const effect = message?.effect
  switch (effect?.$case) {
    case 'percentBasisPoints':
      return { kind: 'percent', basisPoints: BigInt(effect.value) }
    case 'amountMinor':
      return { kind: 'amount', minor: effect.value }
    case 'freePieces':
      return { kind: 'free', pieces: BigInt(effect.value) }
    case 'priceMinor':
      return { kind: 'price', minor: effect.value }
    case 'sets': {
      const { take, pay, basisPoints, setsMax } = effect.value
      const reduced = basisPoints === 0 ? FREE : BigInt(basisPoints)
      return { kind: 'sets', take, pay, basisPoints: reduced, setsMax: setsMax === 0 ? SETS_DEFAULT : setsMax }
    }
    case undefined:
      throw new Error('a stored discount has no effect')
  }
}

/** Goods as the domain knows them. */
export function goodsOf(message: GoodsMessage | undefined): Goods {
  return { skus: new Set(message?.skus), categories: new Set(message?.categories) }
}

/** A limit of which 0 says that there is none. */
export function limitOf(limit: bigint): bigint | undefined {
  return limit === 0n ? undefined : limit
}
