import { type MoneyEntry, moneyEntry } from '../money.ts'

const BASIS = 10_000n

/** Who can be given to and what the brand adds, as stored with its version. */
export interface DonationProgramme {
  readonly version: number
  readonly fundIds: ReadonlySet<string>
  /** So many points are so much money in minor units. */
  readonly ratePoints: bigint
  readonly rateMinor: bigint
  readonly leastPoints: bigint
  /** What the brand adds, basis points of the money. */
  readonly matchBasisPoints: bigint
  readonly undoSeconds: number
  /** Undefined: the brand gives nothing of receipts. */
  readonly share: { readonly fundId: string; readonly basisPoints: bigint } | undefined
}

/** What a fund gets for points, minor units. */
export interface DonatedMoney {
  readonly moneyMinor: bigint
  readonly matchMinor: bigint
}

/** What points are worth to a fund; each part is rounded down once. */
export function donatedMoney(
  points: bigint,
  { ratePoints, rateMinor, matchBasisPoints }: Pick<DonationProgramme, 'ratePoints' | 'rateMinor' | 'matchBasisPoints'>,
): DonatedMoney {
  const moneyMinor = (points * rateMinor) / ratePoints
  return { moneyMinor, matchMinor: (moneyMinor * matchBasisPoints) / BASIS }
}

/** What a fund gets of the money that the brand keeps of a sale, minor units. */
export function shareOfSale(keptMinor: bigint, basisPoints: bigint): bigint {
  return (keptMinor * basisPoints) / BASIS
}

/** A fund as somebody who is owed. */
export function fundParty(fundId: string): string {
  return `fund:${fundId}`
}

/** The entries of a final donation. */
export function donationEntries(fundId: string, { moneyMinor, matchMinor }: DonatedMoney): readonly MoneyEntry[] {
  return [
    moneyEntry('cost', moneyMinor, 'points'),
    moneyEntry('cost', matchMinor, 'match'),
    moneyEntry('payable', -(moneyMinor + matchMinor), fundParty(fundId)),
  ]
}
