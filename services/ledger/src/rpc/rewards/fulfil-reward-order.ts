import { checkIdempotencyKey, checkUuid, failedPrecondition, notFound, type Sql, writeOutbox } from '@stampede/platform'
import { FulfilRewardOrderRequest, FulfilRewardOrderResponse } from '@stampede/proto/rewards/v1'
import type { LedgerContext } from '../../context.ts'
import { moneyEntry, moneyPosting } from '../../domain/money.ts'
import { deliver } from '../../domain/rewards/reward.ts'
import { orderEvent } from '../../events.ts'
import { orderMessage } from '../../reward-message.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { readCodes } from '../../store/rewards/codes.ts'
import { lockOrders, type StoredOrder, writeOrders } from '../../store/rewards/orders.ts'
import { lockStocks, readRewards, writeStocks } from '../../store/rewards/rewards.ts'
import { brandOf, fingerprint } from '../checks.ts'

/** Hands an order over. */
export async function fulfilRewardOrder(
  context: LedgerContext,
  request: FulfilRewardOrderRequest,
): Promise<FulfilRewardOrderResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const orderId = checkUuid(request.orderId, 'order_id')
  const encoded = FulfilRewardOrderRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('reward.fulfil', encoded), method: 'reward.fulfil' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const [placed] = await lockOrders(tx, [{ brand, id: orderId }])
    if (placed === undefined) throw notFound()
    if (placed.state !== 'placed') throw failedPrecondition(`the order is ${placed.state}`)
    const order: StoredOrder = { ...placed, state: 'fulfilled', version: placed.version + 1n }
    await writeOrders(tx, [order])
    await handOver(tx, order, now)
    await writeOutbox(tx, [orderEvent(order, now)])
    const codes = (await readCodes(tx, brand, [orderId])).get(orderId) ?? []
    const message = { order: orderMessage(order, codes) }
    return { response: FulfilRewardOrderResponse.encode(message).finish(), causeId: null }
  })
  return FulfilRewardOrderResponse.decode(response)
}

/** Moves the pieces from reserved to delivered, and books what is owed for them. */
async function handOver(tx: Sql, order: StoredOrder, now: Date): Promise<void> {
  const { brand, orderId: causeId, rewardId, quantity, cancelled } = order
  const pieces = quantity - cancelled
  const [stored] = await lockStocks(tx, [order])
  if (stored !== undefined) await writeStocks(tx, [{ ...stored, stock: deliver(stored.stock, pieces) }])
  const reward = [...(await readRewards(tx, [{ brand, rewardId }])).values()][0]
  const costMinor = (reward?.costMinor ?? 0n) * pieces
  if (reward === undefined || costMinor === 0n) return
  const entries = [
    moneyEntry('cost', costMinor, 'reward'),
    moneyEntry('payable', -costMinor, `partner:${reward.partner}`),
  ]
  const event = { kind: 'reward', causeId, reference: rewardId, occurredAtMs: now.getTime() } as const
  await insertMoneyPostings(tx, [{ brand, posting: moneyPosting({ ...event, entries }) }], now)
}
