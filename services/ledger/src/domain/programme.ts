/** How points are earned and spent, as stored with its version. */
export interface Programme {
  readonly version: number
  /** Receipts that occurred from this instant on use it; Unix milliseconds, -Infinity for all. */
  readonly effectiveAtMs: number
  /** Basis points of the money paid, 0 to 10,000. */
  readonly earnBasisPoints: bigint
  /** Days that points live, in the brand's time zone. */
  readonly pointsLiveDays: number
  /** Basis points of each line that points may pay, 0 to 10,000. */
  readonly maxPayBasisPoints: bigint
  /** Value of one point in minor units of money, at least 1. */
  readonly pointValueMinor: bigint
  /** Default life of a hold in seconds. */
  readonly holdSeconds: number
  /** What goods earn on top; extras of different groups add up. */
  readonly earnRules: readonly EarnRule[]
  /** Goods that earn nothing, not even by a rule. */
  readonly earnsNothing: Goods
  /** Goods that points may not pay. */
  readonly neverPaid: Goods
  /** Most points that a receipt earns; undefined: no limit. */
  readonly earnLimit: bigint | undefined
  /** Points pay in steps of so many, at least 1. */
  readonly payStep: bigint
  /** Fewer points than these do not pay. */
  readonly payLeastPoints: bigint
  /** Receipts below this are not paid with points, in minor units. */
  readonly payLeastReceiptMinor: bigint
}

/** A choice of goods; with neither it is none. */
export interface Goods {
  readonly skus: ReadonlySet<string>
  readonly categories: ReadonlySet<string>
}

/** What a rule gives on top of the base, for each line that it holds for. */
export type EarnEffect =
  /** The base so many times, in hundredths: 200 doubles it. */
  | { readonly kind: 'times'; readonly hundredths: bigint }
  /** So much more of the money paid. */
  | { readonly kind: 'added'; readonly basisPoints: bigint }
  /** For each piece of a line that money paid a part of. */
  | { readonly kind: 'piece'; readonly points: bigint }

/** A rule about what receipts earn on top of the base. */
export interface EarnRule {
  readonly ruleId: string
  /** Undefined: all goods. */
  readonly goods: Goods | undefined
  /** Empty: all stores. */
  readonly stores: ReadonlySet<string>
  /** Half open, Unix milliseconds; infinite where there is no end. */
  readonly fromMs: number
  readonly untilMs: number
  readonly effect: EarnEffect
  /** Most points that it gives a receipt; undefined: no limit. */
  readonly limit: bigint | undefined
  /** Of the rules of a group a line gets the one that gives it most. Empty: a group of its own. */
  readonly group: string
}

/** A line as the till sent it. */
export interface SaleLine {
  readonly sku: string
  readonly quantity: bigint
  /** Value of the whole line in minor units. */
  readonly amountMinor: bigint
  readonly category: string
}

const noGoods: Goods = { skus: new Set(), categories: new Set() }

/** A programme without any rule beyond its rates. */
export const noRules = {
  earnRules: [],
  earnsNothing: noGoods,
  neverPaid: noGoods,
  earnLimit: undefined,
  payStep: 1n,
  payLeastPoints: 0n,
  payLeastReceiptMinor: 0n,
} as const satisfies Partial<Programme>

/** Whether a line is of the goods. */
export function isOf(goods: Goods, line: Pick<SaleLine, 'sku' | 'category'>): boolean {
  return goods.skus.has(line.sku) || (line.category !== '' && goods.categories.has(line.category))
}

/** The version that a receipt of this instant uses: the highest that is effective by then. */
export function programmeAt<Version extends Pick<Programme, 'version' | 'effectiveAtMs'>>(
  versions: readonly Version[],
  atMs: number,
): Version | undefined {
  let found: Version | undefined
  for (const programme of versions) {
    if (programme.effectiveAtMs <= atMs && (found === undefined || programme.version > found.version)) found = programme
  }
  return found
}
