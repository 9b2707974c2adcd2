import { checkIdempotencyKey, checkUuid, failedPrecondition, StampedeError, uuidv7 } from '@stampede/platform'
import { ChooseFavouriteRequest, ChooseFavouriteResponse } from '@stampede/proto/prices/v1'
import type { LedgerContext } from '../../context.ts'
import { favouriteRefusal, priceEnd } from '../../domain/discounts/member-prices.ts'
import { priceMessage } from '../../price-message.ts'
import { lockAccounts } from '../../store/accounts.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { pointsOf } from '../../store/keys.ts'
import { readNewestPrice, savePrices } from '../../store/prices/prices.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkSku, priceRulesNow, refuseExcluded } from './own-prices.ts'

/** Makes a product the member's favourite. */
export async function chooseFavourite(
  context: LedgerContext,
  request: ChooseFavouriteRequest,
): Promise<ChooseFavouriteResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  const sku = checkSku(request.sku, 'sku')
  const encoded = ChooseFavouriteRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('price.choose', encoded), method: 'price.choose' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const nowMs = now.getTime()
    const rules = await priceRulesNow(context, tx, brand, nowMs)
    if (rules.favouriteBasisPoints === 0) throw failedPrecondition('the programme has no favourites')
    refuseExcluded(rules, sku, 'sku')
    await lockAccounts(tx, [pointsOf({ brand, memberId })])
    const before = await readNewestPrice(tx, { brand, memberId }, 'favourite')
    refuse(favouriteRefusal(before?.price, sku, { nowMs, timeZone }))
    const untilMs = priceEnd(nowMs, rules.favouriteLiveDays, timeZone)
    const items = [{ sku, basisPoints: rules.favouriteBasisPoints }]
    const price = { priceId: uuidv7(), kind: 'favourite', fromMs: nowMs, untilMs, items } as const
    const isLive = before !== undefined && before.price.untilMs > nowMs
    const ended = isLive ? [{ ...before, price: { ...before.price, untilMs: nowMs } }] : []
    await savePrices(tx, [...ended, { brand, memberId, price, version: 0n }], now)
    const answer = ChooseFavouriteResponse.encode({ price: priceMessage(price) }).finish()
    return { response: answer, causeId: price.priceId }
  })
  return ChooseFavouriteResponse.decode(response)
}

function refuse(reason: ReturnType<typeof favouriteRefusal>): void {
  if (reason === 'changed_today') throw new StampedeError('FAVOURITE_CHANGED_TODAY', undefined, { field: 'sku' })
  if (reason === 'same') {
    throw new StampedeError('FAILED_PRECONDITION', 'this is the favourite already', { field: 'sku' })
  }
}
