import assert from 'node:assert/strict'
import { sum } from './shares.ts'

/**
 * Accounts of a brand's money books. Plus is what was received or borne: `tender` by its kind, `discount`; minus what was
 * sold or is owed: `shelf` (the price before discounts), `giftcard` by its card, `revenue`, `deferred` (paid but not earned yet). `cost` is by what it is for and
 * `payable` by who it is owed to; `bank`, and `settle` by a
 * coalition's participant, take either sign.
 */
export type MoneyAccount =
  | 'shelf'
  | 'discount'
  | 'tender'
  | 'giftcard'
  | 'revenue'
  | 'deferred'
  | 'cost'
  | 'payable'
  | 'settle'
  | 'bank'

/** One side of a money posting. */
export interface MoneyEntry {
  readonly account: MoneyAccount
  /** Kind of tender or cost, id of a gift card, who is owed (`member:<id>`, `fund:<id>`, `partner:<name>`); empty for the other accounts. */
  readonly party: string
  /** Signed, minor units. */
  readonly amountMinor: bigint
}

/** What a money posting is about. */
export type MoneyKind =
  | 'gift_sale'
  | 'gift_reload'
  | 'gift_use'
  | 'gift_return'
  | 'gift_expire'
  | 'gift_refund'
  | 'gift_replace'
  | 'reward'
  | 'referral_reward'
  | 'referral_back'
  | 'payout'
  | 'donation'
  | 'donation_share'
  | 'prize'
  | 'subscription_fee'
  | 'subscription_revenue'
  | 'subscription_refund'
  | 'coalition'
  | 'coalition_back'
  | 'coalition_close'

/** A transaction of the money books: entries that sum to zero. */
export interface MoneyPosting {
  readonly kind: MoneyKind
  /** Receipt, hold, gift card, reward, donation, subscription. */
  readonly causeId: string
  /** What the till calls it; may be empty. */
  readonly reference: string
  /** Unix milliseconds. */
  readonly occurredAtMs: number
  readonly entries: readonly MoneyEntry[]
}

/** A posting of entries; those of nothing are left out. */
export function moneyPosting(posting: MoneyPosting): MoneyPosting {
  const entries = posting.entries.filter(({ amountMinor }) => amountMinor !== 0n)
  assert.equal(sum(entries.map(({ amountMinor }) => amountMinor)), 0n, `a ${posting.kind} does not sum to zero`)
  return { ...posting, entries }
}

/** An entry; `party` is left out where the account has none. */
export function moneyEntry(account: MoneyAccount, amountMinor: bigint, party = ''): MoneyEntry {
  return { account, party, amountMinor }
}

/** A member as somebody who is owed. */
export function memberParty(memberId: string): string {
  return `member:${memberId}`
}

/** A cost that is owed to somebody; a negative amount takes it back. */
export function owed(cost: string, party: string, amountMinor: bigint): readonly MoneyEntry[] {
  return [moneyEntry('cost', amountMinor, cost), moneyEntry('payable', -amountMinor, party)]
}
