import type { StampedeError } from '@stampede/platform'
import type { DonatedMoney } from '../domain/donations/donation.ts'
import type { SaleLine } from '../domain/programme.ts'
import type { ReturnedLine } from '../domain/return.ts'
import type { NaturalKey } from '../store/receipts.ts'

/** A gift card that shall pay. */
export interface CardPaymentAsked {
  /** Normalized. */
  readonly code: string
  readonly pin: string
  readonly amountMinor: bigint
  /** Empty: paid at once. */
  readonly holdId: string
}

/** What a writing call asks for, checked, but before anything is looked up. */
export type ItemRequest =
  | {
      readonly kind: 'sale'
      readonly storeId: string
      readonly tillId: string
      readonly number: string
      readonly occurredAtMs: number
      readonly lines: readonly SaleLine[]
      /** Empty for none. */
      readonly holdId: string
      readonly pointsToPay: bigint
      /** The till had no connection. */
      readonly isOffline: boolean
      /** Normalized, in the order of use. */
      readonly couponCodes: readonly string[]
      readonly tags: readonly string[]
      /** Empty: not declared. */
      readonly tender: string
      /** By which the coupons were reserved; empty: not at all. */
      readonly couponReference: string
      /** In the order of use; no card twice. */
      readonly giftCardPayments: readonly CardPaymentAsked[]
      /** Undefined: not checked. */
      readonly expectedTotalMinor: bigint | undefined
    }
  | {
      readonly kind: 'return'
      /** Empty as long as only its natural key is known. */
      readonly saleId: string
      readonly saleKey: NaturalKey | undefined
      readonly returnId: string
      readonly occurredAtMs: number
      readonly lines: readonly ReturnedLine[]
    }
  /** A `ttlSeconds` of 0 takes the programme's. */
  | { readonly kind: 'hold'; readonly points: bigint; readonly reference: string; readonly ttlSeconds: number }
  | { readonly kind: 'commit'; readonly holdId: string; readonly points: bigint }
  | { readonly kind: 'cancel'; readonly holdId: string }
  | {
      readonly kind: 'donate'
      readonly points: bigint
      readonly fundId: string
      /** What it is worth to the fund, by this version of the donation programme. */
      readonly money: DonatedMoney
      readonly version: number
      readonly undoSeconds: number
    }
  | { readonly kind: 'undo'; readonly donationId: string }
  | {
      readonly kind: 'grant'
      readonly eventKey: string
      readonly points: bigint
      /** Undefined: now. */
      readonly occurredAtMs: number | undefined
      /** 0 takes the programme's. */
      readonly liveDays: number
      /** Empty takes the programme's. */
      readonly funder: string
      /** When the points can be spent and their life begins; undefined: at once. */
      readonly activatesAtMs: number | undefined
    }
  /** What the event should have given. */
  | { readonly kind: 'correct'; readonly eventKey: string; readonly points: bigint }
  /** `causeId` is a receipt or a grant. */
  | { readonly kind: 'activate'; readonly causeId: string }
  | { readonly kind: 'transfer'; readonly toMemberId: string; readonly points: bigint }
  /** An `expectedPoints` of 0 is not checked. */
  | { readonly kind: 'order'; readonly rewardId: string; readonly quantity: bigint; readonly expectedPoints: bigint }
  /** A `quantity` of 0 cancels all that is left. */
  | { readonly kind: 'cancel_order'; readonly orderId: string; readonly quantity: bigint }
  | {
      readonly kind: 'adjust'
      /** Signed. */
      readonly points: bigint
      readonly reason: string
      /** The caller's key, or the rule that asks for it. */
      readonly proposedBy: string
      /** What a rule takes back: whatever its size, and to debt if need be. */
      readonly isByRule: boolean
    }
  /** An empty `tierId` keeps the tier that the member has. */
  | { readonly kind: 'tier'; readonly tierId: string; readonly untilMs: number; readonly reason: string }
  | {
      readonly kind: 'resolve'
      readonly adjustmentId: string
      readonly isApproved: boolean
      /** The caller's key. */
      readonly resolvedBy: string
    }

/** One command on its way through a flush. */
export interface Item {
  readonly brand: string
  readonly memberId: string
  readonly idempotencyKey: string
  /** SHA-256 over the method and the request without its key. */
  readonly bodyHash: Buffer
  readonly request: ItemRequest
  /** Nobody waits for the answer after this instant, so the command is not begun; Unix milliseconds. */
  readonly deadlineMs: number
}

/** What became of an item. */
export type ItemResult =
  /** The encoded response of its method, the same for every repeat. */
  { readonly ok: true; readonly response: Uint8Array } | { readonly ok: false; readonly error: StampedeError }
