import {
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkUuid,
  failedPrecondition,
  invalidArgument,
  uuidv7,
} from '@stampede/platform'
import { GrantPriceSetRequest, GrantPriceSetResponse, type PriceItem } from '@stampede/proto/prices/v1'
import type { LedgerContext } from '../../context.ts'
import { priceEnd } from '../../domain/discounts/member-prices.ts'
import { priceMessage } from '../../price-message.ts'
import { lockAccounts } from '../../store/accounts.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { pointsOf } from '../../store/keys.ts'
import { readNewestPrice, savePrices } from '../../store/prices/prices.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkSku, priceRulesNow, refuseExcluded } from './own-prices.ts'

const BASIS_POINTS = { min: 1, max: 10_000 }
const ITEMS_MAX = 20

/** Grants a member a set of products at lower prices. */
export async function grantPriceSet(
  context: LedgerContext,
  request: GrantPriceSetRequest,
): Promise<GrantPriceSetResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  const items = checkItems(request.items)
  const encoded = GrantPriceSetRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('price.grant', encoded), method: 'price.grant' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const rules = await priceRulesNow(context, tx, brand, nowMs)
    if (rules.setLiveDays === 0) throw failedPrecondition('the programme grants no sets')
    if (items.length > rules.setProductsMax) throw invalidArgument('items', `must be at most ${rules.setProductsMax}`)
    for (const [index, { sku }] of items.entries()) refuseExcluded(rules, sku, `items[${index}].sku`)
    await lockAccounts(tx, [pointsOf({ brand, memberId })])
    const newest = await readNewestPrice(tx, { brand, memberId }, 'set')
    if (newest !== undefined && newest.price.fromMs > nowMs) {
      throw failedPrecondition('the next set of the member is granted already')
    }
    const fromMs = Math.max(nowMs, newest?.price.untilMs ?? 0)
    const untilMs = priceEnd(fromMs, rules.setLiveDays, timeZone)
    const price = { priceId: uuidv7(), kind: 'set', fromMs, untilMs, items } as const
    await savePrices(tx, [{ brand, memberId, price, version: 0n }], now)
    const answer = GrantPriceSetResponse.encode({ price: priceMessage(price) }).finish()
    return { response: answer, causeId: price.priceId }
  })
  return GrantPriceSetResponse.decode(response)
}

function checkItems(items: readonly PriceItem[]): readonly PriceItem[] {
  const checked = checkList(items, 'items', { min: 1, max: ITEMS_MAX }).map(({ sku, basisPoints }, index) => ({
    sku: checkSku(sku, `items[${index}].sku`),
    basisPoints: checkInt(basisPoints, `items[${index}].basis_points`, BASIS_POINTS),
  }))
  const skus = checked.map(({ sku }) => sku)
  const repeated = skus.findIndex((sku, index) => skus.indexOf(sku) < index)
  if (repeated >= 0) throw invalidArgument(`items[${repeated}].sku`, 'is there twice')
  return checked
}
