import type { BrandDirectory, Clock, Database } from '@stampede/platform'
import type { GeoMetrics } from './metrics.ts'
import type { StoreDirectory } from './store-directory.ts'

/** What the RPCs and jobs of this service work with. */
export interface Context {
  readonly database: Database
  readonly clock: Clock
  readonly brands: BrandDirectory
  /** Stores of each brand in memory. */
  readonly stores: StoreDirectory
  readonly metrics: GeoMetrics
  /** Tells the relay that the outbox has new messages. */
  readonly wakeRelay: () => void
  /** Tells the follower that a brand's stores have changed. */
  readonly wakeFollower: () => void
}
