import type { BrandDirectory, Clock, Database } from '@stampede/platform'
import type { Committer } from './flush/committer.ts'

/** What the handlers work with. */
export interface LedgerContext {
  readonly database: Database
  /** Live list of brands with their time zones and currencies. */
  readonly brands: Pick<BrandDirectory, 'get'>
  readonly clock: Clock
  /** All postings go through it. */
  readonly committer: Committer
}
