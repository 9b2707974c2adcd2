import {
  type Balance,
  CancelHoldResponse,
  CommitHoldResponse,
  CreateHoldResponse,
  PostReceiptResponse,
  ReturnReceiptResponse,
} from '@stampede/proto/ledger/v1'
import type { Account } from './domain/account.ts'
import type { ReturnOutcome } from './domain/return.ts'
import type { SaleOutcome } from './domain/sale.ts'
import { expirySchedule } from './domain/view.ts'

/** What a balance looks like to callers. */
export function toBalance(account: Account): Balance {
  const { available, pending, held, debt, version } = account
  const expiries = expirySchedule(account).map(({ expiresAtMs, points }) => ({
    expiresAt: new Date(expiresAtMs),
    points,
  }))
  return { available, pending, held, debt, version, expiries }
}

/** Encoded answer to a sale. */
export function saleAnswer(outcome: SaleOutcome, account: Account): Uint8Array {
  return PostReceiptResponse.encode({
    receiptId: outcome.sale.receiptId,
    pointsEarned: outcome.earned,
    pointsSpent: outcome.spent,
    balance: toBalance(account),
  }).finish()
}

/** Encoded answer to a return. */
export function returnAnswer(returnReceiptId: string, outcome: ReturnOutcome, account: Account): Uint8Array {
  return ReturnReceiptResponse.encode({
    returnReceiptId,
    refundMinor: outcome.refundMinor,
    pointsRestored: outcome.restored,
    pointsReversed: outcome.reversed,
    balance: toBalance(account),
  }).finish()
}

/** Encoded answer to a new hold. */
export function holdAnswer(holdId: string, expiresAtMs: number, account: Account): Uint8Array {
  return CreateHoldResponse.encode({
    holdId,
    expiresAt: new Date(expiresAtMs),
    balance: toBalance(account),
  }).finish()
}

/** Encoded answer to a captured hold. */
export function commitAnswer(account: Account): Uint8Array {
  return CommitHoldResponse.encode({ balance: toBalance(account) }).finish()
}

/** Encoded answer to a hold that was given up. */
export function cancelAnswer(account: Account): Uint8Array {
  return CancelHoldResponse.encode({ balance: toBalance(account) }).finish()
}
