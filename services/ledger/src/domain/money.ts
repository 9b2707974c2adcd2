import assert from 'node:assert/strict'
import { sum } from './shares.ts'

/** One side of an entry in the brand's own money books. */
export interface MoneyEntry {
  /** Such as `cost[referral]` or `payable[member:<id>]`. */
  readonly account: string
  /** Minor units, not zero: plus is received or borne, minus is sold or owed. */
  readonly amountMinor: bigint
}

/** An entry in the books; posted once per reference. */
export interface MoneyPosting {
  readonly brand: string
  /** What it is about, such as `reward/<id>`. */
  readonly reference: string
  readonly entries: readonly MoneyEntry[]
  /** Unix milliseconds. */
  readonly occurredAtMs: number
}

/** Puts a posting together: sides of zero are left out, the rest sums to zero. */
export function moneyPosting(posting: MoneyPosting): MoneyPosting {
  const entries = posting.entries.filter(({ amountMinor }) => amountMinor !== 0n)
  assert.equal(sum(entries.map(({ amountMinor }) => amountMinor)), 0n, `${posting.reference} does not sum to zero`)
  return { ...posting, entries }
}

/** What is owed to a party. */
export function payableTo(party: string): string {
  return `payable[${party}]`
}

/** A member as a party. */
export function memberParty(memberId: string): string {
  return `member:${memberId}`
}

/** A cost that makes a debt to a party; a negative amount takes it back. */
export function owed(cost: string, party: string, amountMinor: bigint): readonly MoneyEntry[] {
  return [
    { account: `cost[${cost}]`, amountMinor },
    { account: payableTo(party), amountMinor: -amountMinor },
  ]
}
