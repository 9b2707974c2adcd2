import type { BrandDirectory } from '@stampede/platform'
import { type Account, emptyAccount } from '../domain/account.ts'
import type { MissLimiter } from '../domain/coupons/miss-limiter.ts'
import type { Posting } from '../domain/posting.ts'
import type { Programme } from '../domain/programme.ts'
import type { AccountRow } from '../store/accounts.ts'
import type { Adjustment } from '../store/adjustments.ts'
import type { StoredCoupon } from '../store/coupons/coupons.ts'
import type { StoredDonation } from '../store/donations/donations.ts'
import type { EventGrant } from '../store/event-grants.ts'
import type { OwnedHold } from '../store/holds.ts'
import type { NewAnswer } from '../store/idempotency.ts'
import { type AccountKey, accountText, brandIdText } from '../store/keys.ts'
import type { OwnedLot } from '../store/lots.ts'
import type { BrandMoneyPosting } from '../store/money.ts'
import type { OfflineDay } from '../store/offline-days.ts'
import type { NewReceipt, StoredSale } from '../store/receipts.ts'
import type { StampReceipt } from '../store/stamps.ts'
import type { Benefits } from './benefits.ts'
import type { WorkingCoupons } from './coupons.ts'
import type { WorkingGiftCards } from './gift-cards.ts'
import type { WorkingPrices } from './prices.ts'
import type { WorkingRewards } from './rewards.ts'
import type { WorkingTier } from './tiers.ts'

/** Why an account's event is sent: its newest change in the flush. */
export interface Cause {
  readonly kind: string
  /** Empty for expiry. */
  readonly causeId: string
  readonly deltaAvailable: bigint
  readonly eventTimeMs: number
}

/** An account in work and all that was decided for it. */
export interface WorkingAccount {
  readonly key: AccountKey
  account: Account
  readonly postings: Posting[]
  /** Lots and holds that the database has; others are inserted. */
  readonly storedIds: Set<string>
  readonly touchedLots: Set<string>
  readonly touchedHolds: Set<string>
  /** Undefined as long as nothing has happened to it. */
  cause: Cause | undefined
}

/** An answer that a key or a natural key has, from the database or from earlier in the flush. */
export interface KnownAnswer {
  readonly bodyHash: Buffer
  /** Null once it is older than answers are kept. */
  readonly response: Uint8Array | null
  readonly causeId: string | null
}

/** A receipt to be stored, with what its event says besides. */
export interface PostedReceipt {
  readonly receipt: NewReceipt
  readonly currency: string
  /** For a return: the sale's store and till, and the value of each returned line. */
  readonly event: {
    readonly storeId: string
    readonly tillId: string
    readonly lines: readonly EventLine[]
  }
}

/** A line as the receipt's event shows it. */
export interface EventLine {
  readonly sku: string
  readonly quantity: bigint
  readonly amountMinor: bigint
  readonly category: string
}

/** All that a flush knows and all that it will write. */
export interface WorkingSet {
  readonly nowMs: number
  /** Gives UUIDv7, of the given instant where there is one. */
  readonly newId: (atMs?: number) => string
  readonly brands: Pick<BrandDirectory, 'get'>
  readonly programmes: ReadonlyMap<string, readonly Programme[]>
  readonly accounts: ReadonlyMap<string, WorkingAccount>
  readonly sales: Map<string, StoredSale>
  readonly changedSales: Set<string>
  readonly answers: Map<string, KnownAnswer>
  readonly naturals: Map<string, KnownAnswer>
  readonly newAnswers: NewAnswer[]
  readonly coupons: WorkingCoupons
  readonly rewards: WorkingRewards
  /** Coupons that the flush makes. */
  readonly mintedCoupons: StoredCoupon[]
  /** Of sales that are returned, and of those of the flush. */
  readonly stamps: Map<string, StampReceipt>
  readonly changedStamps: Set<string>
  readonly giftCards: WorkingGiftCards
  readonly prices: WorkingPrices
  /** Wrong codes of coupons and gift cards. */
  readonly misses: MissLimiter
  /** Of members who are subscribed, where the programme asks for tags. */
  readonly benefits: Benefits
  /** By brand and member, of brands that have tiers or discounts by money spent. */
  readonly tiers: ReadonlyMap<string, WorkingTier>
  readonly eventGrants: Map<string, EventGrant>
  readonly changedGrants: Set<string>
  readonly adjustments: Map<string, Adjustment>
  readonly changedAdjustments: Set<string>
  readonly receipts: PostedReceipt[]
  /** What receipts of tills without a connection have taken, by member and day. */
  readonly offlineDays: Map<string, OfflineDay>
  readonly changedOfflineDays: Set<string>
  /** New ones. */
  readonly donations: StoredDonation[]
  /** Of coalitions. */
  readonly moneyPostings: BrandMoneyPosting[]
}

/** Puts accounts together from their rows, lots and holds. */
export function assembleAccounts(
  keys: readonly AccountKey[],
  rows: readonly AccountRow[],
  lots: readonly OwnedLot[],
  holds: readonly OwnedHold[],
): ReadonlyMap<string, WorkingAccount> {
  const totals = new Map(rows.map((row) => [accountText(row), row.totals]))
  const lotsOf = Map.groupBy(lots, (lot) => accountText(lot.key))
  const holdsOf = Map.groupBy(holds, (hold) => accountText(hold.key))
  return new Map(
    keys.map((key) => {
      const text = accountText(key)
      const ownLots = new Map((lotsOf.get(text) ?? []).map(({ lot }) => [lot.lotId, lot]))
      const ownHolds = new Map((holdsOf.get(text) ?? []).map(({ hold }) => [hold.holdId, hold]))
      const working: WorkingAccount = {
        key,
        account: { ...(totals.get(text) ?? emptyAccount), lots: ownLots, holds: ownHolds },
        postings: [],
        storedIds: new Set([...ownLots.keys(), ...ownHolds.keys()]),
        touchedLots: new Set(),
        touchedHolds: new Set(),
        cause: undefined,
      }
      return [text, working] as const
    }),
  )
}

/** One text for an idempotency key of a brand. */
export function answerText(brand: string, key: string): string {
  return brandIdText(brand, key)
}
