import type { BrandDirectory, Clock, Database } from '@stampede/platform'
import type { MissLimiter } from './domain/coupons/miss-limiter.ts'
import type { Committer } from './flush/committer.ts'
import type { Months } from './store/months.ts'
import type { Programmes } from './store/programmes.ts'

/** What the handlers work with. */
export interface LedgerContext {
  readonly database: Database
  /** Live list of brands with their time zones and currencies. */
  readonly brands: Pick<BrandDirectory, 'get'>
  readonly clock: Clock
  readonly programmes: Programmes
  readonly months: Months
  /** Wrong codes of coupons and gift cards. */
  readonly misses: MissLimiter
  /** All postings go through it. */
  readonly committer: Committer
}
