import assert from 'node:assert/strict'
import {
  type BrandInfo,
  failedPrecondition,
  invalidArgument,
  notFound,
  type Sql,
  StampedeError,
} from '@stampede/platform'
import { cancelOrderAnswer, orderAnswer } from '../answers.ts'
import { endOfLife } from '../domain/calendar.ts'
import { orderAsSale } from '../domain/rewards/order.ts'
import { type OrderRefusal, orderRefusal, priceOf, type Reward, reserve } from '../domain/rewards/reward.ts'
import { restoreEnd } from '../domain/terms.ts'
import { tierAt } from '../domain/tiers/ladder.ts'
import { type AccountKey, type BrandId, brandIdText, pointsOf } from '../store/keys.ts'
import { freeCodes, takeCodes } from '../store/rewards/codes.ts'
import { countOwned, lockOrders, type StoredOrder, writeOrders } from '../store/rewards/orders.ts'
import {
  lockStocks,
  type RewardKey,
  readRewards,
  rewardText,
  type StoredStock,
  writeStocks,
} from '../store/rewards/rewards.ts'
import type { Item, ItemRequest } from './item.ts'
import { type Applied, perform, programmeOf } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

/** Rewards in work: those that are ordered, and orders that are cancelled. */
export interface WorkingRewards {
  readonly rewards: ReadonlyMap<string, Reward>
  readonly stocks: Map<string, StoredStock>
  readonly orders: Map<string, StoredOrder>
  /** Pieces that members have. */
  readonly owned: Map<string, bigint>
  /** Lots that paid for the orders. */
  readonly lots: readonly (AccountKey & { readonly lotId: string })[]
  readonly changedStocks: Set<string>
  readonly changedOrders: Set<string>
  /** Pieces of vouchers that orders take, or give back with a minus. */
  readonly codes: {
    readonly brand: string
    readonly rewardId: string
    readonly orderId: string
    readonly pieces: bigint
  }[]
}

/** Locks and reads what the items order and cancel; orders first, stocks last. Their accounts are locked already. */
export async function loadRewards(tx: Sql, items: readonly Item[]): Promise<WorkingRewards> {
  const ordered = items.flatMap(({ brand, memberId, request }) =>
    request.kind === 'order' ? [{ brand, memberId, rewardId: request.rewardId }] : [],
  )
  const cancelled = items.flatMap(({ brand, request }): readonly BrandId[] =>
    request.kind === 'cancel_order' ? [{ brand, id: request.orderId }] : [],
  )
  const orders = await lockOrders(tx, cancelled)
  const keys: readonly RewardKey[] = [...ordered, ...orders]
  const [rewards, owned] = await Promise.all([readRewards(tx, keys), countOwned(tx, ordered)])
  const stocks = await lockStocks(tx, keys)
  return {
    rewards,
    stocks: new Map(stocks.map((stock) => [rewardText(stock), stock])),
    orders: new Map(orders.map((order) => [brandIdText(order.brand, order.orderId), order])),
    owned: new Map(owned.map((one) => [ownedText(one), one.pieces])),
    lots: orders.flatMap((order) => order.spendDraws.map(({ lotId }) => ({ ...pointsOf(order), lotId }))),
    changedStocks: new Set(),
    changedOrders: new Set(),
    codes: [],
  }
}

/** Writes what was decided about rewards. */
export async function writeWorkingRewards(tx: Sql, { rewards }: WorkingSet): Promise<void> {
  await Promise.all([
    writeOrders(
      tx,
      [...rewards.changedOrders].flatMap((text) => rewards.orders.get(text) ?? []),
    ),
    ...rewards.codes.map(({ orderId, pieces, ...key }) =>
      pieces > 0n ? takeCodes(tx, key, orderId, pieces) : freeCodes(tx, key.brand, orderId, -pieces),
    ),
    writeStocks(
      tx,
      [...rewards.changedStocks].flatMap((text) => rewards.stocks.get(text) ?? []),
    ),
  ])
}

/** Orders a reward: takes points and stock in one step. */
export function applyOrder(
  set: WorkingSet,
  item: Item,
  { rewardId, quantity, expectedPoints }: Extract<ItemRequest, { kind: 'order' }>,
  { timeZone }: BrandInfo,
): Applied {
  const { brand, memberId } = item
  const key = { brand, rewardId }
  const reward = set.rewards.rewards.get(rewardText(key))
  const stock = set.rewards.stocks.get(rewardText(key))
  if (reward === undefined || stock === undefined) throw notFound()
  const owned = set.rewards.owned.get(ownedText({ ...key, memberId })) ?? 0n
  const refusal = orderRefusal(reward, stock.stock, { quantity, owned, nowMs: set.nowMs })
  if (refusal !== undefined) throw refused(refusal)
  const points = quantity * priceOf(reward, tierAt(set.tiers.get(brandIdText(brand, memberId))?.state, set.nowMs))
  if (expectedPoints !== 0n && expectedPoints !== points) {
    throw new StampedeError('FAILED_PRECONDITION', `it costs ${points} points now`, { field: 'expected_points' })
  }
  const orderId = set.newId()
  const cause = { kind: 'order', causeId: orderId, eventTimeMs: set.nowMs }
  const { decision } = perform(set, pointsOf(item), { kind: 'pay', orderId, points }, cause)
  assert(decision.outcome.kind === 'pay')
  const order: StoredOrder = {
    brand,
    orderId,
    memberId,
    rewardId,
    rewardVersion: reward.version,
    quantity,
    cancelled: 0n,
    points,
    surchargeMinor: quantity * reward.surchargeMinor,
    state: 'placed',
    placedAtMs: set.nowMs,
    cancelUntilMs: endOfLife(set.nowMs, reward.cancelDays, timeZone),
    spendDraws: decision.outcome.spendDraws,
    version: 1n,
  }
  move(set, order, reward, quantity)
  return { response: orderAnswer(order, decision.account), causeId: orderId }
}

/** Cancels pieces of an order that is not handed over yet. */
export function applyCancelOrder(
  set: WorkingSet,
  item: Item,
  request: Extract<ItemRequest, { kind: 'cancel_order' }>,
  { timeZone }: BrandInfo,
): Applied {
  const { orderId } = request
  const placed = set.rewards.orders.get(brandIdText(item.brand, orderId))
  if (placed === undefined || placed.memberId !== item.memberId) throw notFound()
  const left = placed.quantity - placed.cancelled
  const quantity = request.quantity === 0n ? left : request.quantity
  if (placed.state !== 'placed') throw failedPrecondition(`the order is ${placed.state}`)
  if (placed.cancelUntilMs <= set.nowMs) throw failedPrecondition('the order can no longer be cancelled')
  if (quantity > left) throw invalidArgument('quantity', `only ${left} are left of the order`)
  const policies = programmeOf(set, item.brand, set.nowMs)
  const command = {
    kind: 'return',
    postingKind: 'cancel_order',
    receiptId: orderId,
    occurredAtMs: set.nowMs,
    sale: orderAsSale(placed),
    lines: [{ lineIndex: 0, quantity }],
    graceExpiresAtMs: restoreEnd(policies, set.nowMs, timeZone),
    policies,
  } as const
  const cause = { kind: 'cancel_order', causeId: orderId, eventTimeMs: set.nowMs }
  const { decision } = perform(set, pointsOf(item), command, cause)
  assert(decision.outcome.kind === 'return')
  const state = quantity === left ? 'cancelled' : 'placed'
  const order = { ...placed, cancelled: placed.cancelled + quantity, state, version: placed.version + 1n } as const
  move(set, order, set.rewards.rewards.get(rewardText(order)), -quantity)
  return { response: cancelOrderAnswer(order, decision.outcome.restored, decision.account), causeId: orderId }
}

/** Notes an order and moves its pieces between what is free and what is reserved. */
function move(set: WorkingSet, order: StoredOrder, reward: Reward | undefined, pieces: bigint): void {
  const { brand, orderId, rewardId } = order
  const { stocks, changedStocks, orders, changedOrders, owned, codes } = set.rewards
  const stock = stocks.get(rewardText(order))
  assert(stock !== undefined, 'the stock of every order was locked')
  stocks.set(rewardText(order), { ...stock, stock: reserve(stock.stock, pieces) })
  changedStocks.add(rewardText(order))
  orders.set(brandIdText(brand, orderId), order)
  changedOrders.add(brandIdText(brand, orderId))
  owned.set(ownedText(order), (owned.get(ownedText(order)) ?? 0n) + pieces)
  if (reward?.kind === 'voucher') codes.push({ brand, rewardId, orderId, pieces })
}

function refused(refusal: OrderRefusal): StampedeError {
  switch (refusal) {
    case 'not_offered':
      return new StampedeError('FAILED_PRECONDITION', 'the reward is not offered now', { field: 'reward_id' })
    case 'member_limit':
      return new StampedeError('FAILED_PRECONDITION', 'the member has had enough of it', { field: 'quantity' })
    case 'out_of_stock':
      return new StampedeError('OUT_OF_STOCK', undefined, { field: 'quantity' })
  }
}

function ownedText({ brand, memberId, rewardId }: RewardKey & { readonly memberId: string }): string {
  return `${brand}/${memberId}/${rewardId}`
}
