import { type MoneyPosting, moneyEntry, moneyPosting } from '../money.ts'
import type { Subscription, Term } from './subscription.ts'

type Booked = Pick<Subscription, 'subscriptionId'> & Pick<Term, 'number' | 'tender'>

/** A fee is paid: it is owed in service until its days are over. */
export function feePosting(
  { subscriptionId, number, tender }: Booked,
  amountMinor: bigint,
  atMs: number,
): MoneyPosting {
  const entries = [moneyEntry('tender', amountMinor, tender), moneyEntry('deferred', -amountMinor)]
  const cause = { kind: 'subscription_fee', causeId: subscriptionId, reference: `${number}` } as const
  return moneyPosting({ ...cause, occurredAtMs: atMs, entries })
}

/** Days are over. */
export function revenuePosting({ subscriptionId, number }: Booked, amountMinor: bigint, atMs: number): MoneyPosting {
  const entries = [moneyEntry('deferred', amountMinor), moneyEntry('revenue', -amountMinor)]
  const cause = { kind: 'subscription_revenue', causeId: subscriptionId, reference: `${number}` } as const
  return moneyPosting({ ...cause, occurredAtMs: atMs, entries })
}

/** Days that have not begun are given back. */
export function refundPosting(
  { subscriptionId, number, tender }: Booked,
  amountMinor: bigint,
  atMs: number,
): MoneyPosting {
  const entries = [moneyEntry('deferred', amountMinor), moneyEntry('tender', -amountMinor, tender)]
  const cause = { kind: 'subscription_refund', causeId: subscriptionId, reference: `${number}` } as const
  return moneyPosting({ ...cause, occurredAtMs: atMs, entries })
}
