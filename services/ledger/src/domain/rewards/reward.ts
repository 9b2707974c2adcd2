/** Something that points buy. */
export interface Reward {
  readonly rewardId: string
  readonly version: number
  readonly kind: 'goods' | 'service' | 'voucher'
  /** Price of a piece, positive. */
  readonly points: bigint
  /** Other prices, by tier. */
  readonly tierPoints: ReadonlyMap<string, bigint>
  /** Money to be paid besides for a piece. */
  readonly surchargeMinor: bigint
  /** Pieces of a member at most; undefined: no limit. */
  readonly memberLimit: bigint | undefined
  /** Half open, Unix milliseconds; infinite where there is no end. */
  readonly fromMs: number
  readonly untilMs: number
  /** Days after the day of the order through which it can be cancelled. */
  readonly cancelDays: number
  /** Whom a fulfilled piece is owed to; empty: nobody. */
  readonly partner: string
  /** What is owed for a piece, minor units. */
  readonly costMinor: bigint
}

/** Where the pieces of a reward are. */
export interface Stock {
  /** Undefined: there are always enough. */
  readonly free: bigint | undefined
  readonly reserved: bigint
  readonly delivered: bigint
}

/** Why a reward cannot be ordered. */
export type OrderRefusal = 'not_offered' | 'member_limit' | 'out_of_stock'

/** Price of a piece for a member of a tier. */
export function priceOf({ points, tierPoints }: Reward, tierId: string | undefined): bigint {
  return (tierId === undefined ? undefined : tierPoints.get(tierId)) ?? points
}

/** Why a member who has had `owned` pieces cannot order so many; undefined when they can. */
export function orderRefusal(
  { fromMs, untilMs, memberLimit }: Reward,
  { free }: Stock,
  { quantity, owned, nowMs }: { readonly quantity: bigint; readonly owned: bigint; readonly nowMs: number },
): OrderRefusal | undefined {
  if (nowMs < fromMs || nowMs >= untilMs) return 'not_offered'
  if (memberLimit !== undefined && owned + quantity > memberLimit) return 'member_limit'
  return free !== undefined && free < quantity ? 'out_of_stock' : undefined
}

/** The stock after so many pieces were ordered; a negative count gives ordered ones back. */
export function reserve(stock: Stock, pieces: bigint): Stock {
  const free = stock.free === undefined ? undefined : stock.free - pieces
  return { ...stock, free, reserved: stock.reserved + pieces }
}

/** The stock after so many ordered pieces were handed over. */
export function deliver(stock: Stock, pieces: bigint): Stock {
  return { ...stock, reserved: stock.reserved - pieces, delivered: stock.delivered + pieces }
}
