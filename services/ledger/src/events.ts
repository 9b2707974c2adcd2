import { makeEvent, type OutboxMessage } from '@stampede/platform'
import { expirySchedule } from './domain/view.ts'
import type { PostedReceipt, WorkingAccount } from './flush/working-set.ts'

/** Meaning of an account's event. */
const ACCOUNT_SCHEMA = 'ledger.account.v1'
/** Meaning of a receipt's event. */
const RECEIPT_SCHEMA = 'ledger.receipt.v1'
/** A receipt never changes: a return is a receipt of its own. */
const RECEIPT_VERSION = 1n

/** The event with an account's newest state; undefined when nothing has happened to it. */
export function accountEvent(working: WorkingAccount, currency: string, now: Date): OutboxMessage | undefined {
  const { account, cause, key } = working
  if (cause === undefined || working.postings.length === 0) return undefined
  const next = expirySchedule(account)[0]
  return makeEvent(
    {
      brand: key.brand,
      aggregateKind: 'account',
      aggregateId: key.memberId,
      aggregateVersion: account.version,
      eventTime: new Date(cause.eventTimeMs),
      schema: ACCOUNT_SCHEMA,
      payload: {
        $case: 'account',
        value: {
          memberId: key.memberId,
          available: account.available,
          pending: account.pending,
          held: account.held,
          debt: account.debt,
          nextExpiryAt: next === undefined ? undefined : new Date(next.expiresAtMs),
          nextExpiryPoints: next?.points ?? 0n,
          lifetimeEarned: account.lifetimeEarned,
          cause: cause.kind,
          causeId: cause.causeId,
          deltaAvailable: cause.deltaAvailable,
          currency,
        },
      },
    },
    now,
  )
}

/** The event of a sale or return. */
export function receiptEvent(posted: PostedReceipt, now: Date): OutboxMessage {
  const { receipt, event, currency } = posted
  return makeEvent(
    {
      brand: receipt.natural.brand,
      aggregateKind: 'receipt',
      aggregateId: receipt.receiptId,
      aggregateVersion: RECEIPT_VERSION,
      eventTime: new Date(receipt.occurredAtMs),
      schema: RECEIPT_SCHEMA,
      payload: {
        $case: 'receipt',
        value: {
          receiptId: receipt.receiptId,
          kind: receipt.natural.kind,
          memberId: receipt.memberId,
          storeId: event.storeId,
          tillId: event.tillId,
          number: receipt.natural.number,
          occurredAt: new Date(receipt.occurredAtMs),
          totalMinor: receipt.totalMinor,
          currency,
          pointsEarned: receipt.earned,
          pointsSpent: receipt.spent,
          lines: [...event.lines],
          originalReceiptId: receipt.originalReceiptId ?? '',
        },
      },
    },
    now,
  )
}
