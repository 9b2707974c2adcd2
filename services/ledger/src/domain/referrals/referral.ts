import { endOfLife } from '../calendar.ts'
import type { ReviewReason } from './guards.ts'
import type { ReferralProgramme } from './programme.ts'

const DAY_MS = 86_400_000

/** Who brought whom, and how far it has come. */
export interface Referral {
  readonly brand: string
  /** UUIDv7. */
  readonly referralId: string
  readonly advocateId: string
  readonly refereeId: string
  /** Version of the programme. */
  readonly version: number
  readonly attributedAtMs: number
  readonly state: 'open' | 'qualified' | 'cancelled' | 'expired'
  readonly review: 'none' | 'waiting' | 'approved' | 'rejected'
  readonly reviewReasons: readonly string[]
  readonly purchase: Purchase | undefined
}

/** The purchase that a referral counts for. */
export interface Purchase {
  readonly receiptId: string
  readonly purchasedAtMs: number
  /** First instant after the return window. */
  readonly windowEndsAtMs: number
}

/** A sale of the referee as it stands: what came back is taken off. */
export interface SaleFacts {
  readonly receiptId: string
  readonly occurredAtMs: number
  /** Money that the brand keeps, minor units. */
  readonly keptMinor: bigint
}

/** What a look at a sale does to a referral. */
export type Step =
  | { readonly kind: 'nothing' }
  /** It is the purchase: rewards are planned. */
  | { readonly kind: 'qualify'; readonly purchase: Purchase }
  /** Too little of the purchase is left: rewards are taken back. */
  | { readonly kind: 'cancel' }
  /** Nothing was bought in time. */
  | { readonly kind: 'expire' }

/**
 * Looks at a sale. By what the sale is now and not by what has just happened to it, so that the order in which a sale and
 * its returns are heard of does not matter.
 */
export function stepOf(
  referral: Referral,
  sale: SaleFacts,
  { leastPurchaseMinor, returnDays, purchaseDays }: ReferralProgramme,
  timeZone: string,
): Step {
  const isEnough = sale.keptMinor > 0n && sale.keptMinor >= leastPurchaseMinor
  if (referral.state === 'qualified') {
    const isPurchase = referral.purchase?.receiptId === sale.receiptId
    return isPurchase && !isEnough ? { kind: 'cancel' } : { kind: 'nothing' }
  }
  if (referral.state !== 'open' || sale.occurredAtMs < referral.attributedAtMs) return { kind: 'nothing' }
  if (purchaseDays > 0 && sale.occurredAtMs >= referral.attributedAtMs + purchaseDays * DAY_MS)
    return { kind: 'expire' }
  if (!isEnough) return { kind: 'nothing' }
  const { receiptId, occurredAtMs: purchasedAtMs } = sale
  const windowEndsAtMs = returnDays === 0 ? purchasedAtMs : endOfLife(purchasedAtMs, returnDays, timeZone)
  return { kind: 'qualify', purchase: { receiptId, purchasedAtMs, windowEndsAtMs } }
}

/** A referral with one more reason to be looked at. */
export function heldFor(referral: Referral, reason: ReviewReason): Referral {
  if (referral.review !== 'none' && referral.review !== 'waiting') return referral
  return { ...referral, review: 'waiting', reviewReasons: [...referral.reviewReasons, reason] }
}
