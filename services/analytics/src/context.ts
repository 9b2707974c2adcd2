import type { BrandDirectory, BrandInfo, ClickHouse, Clock, Database, Logger } from '@stampede/platform'
import { checkBrand, failedPrecondition, notFound } from '@stampede/platform'
import type { AnalyticsMetrics } from './metrics.ts'
import { newestSnapshots, type Snapshot } from './store/snapshots.ts'

/** What the handlers of the service work with. */
export interface AnalyticsContext {
  readonly database: Database
  /** Connection for answers. A connection runs one statement at a time. */
  readonly reads: ClickHouse
  /** Connection for snapshots, which take long. */
  readonly batch: ClickHouse
  readonly brands: Pick<BrandDirectory, 'get'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: AnalyticsMetrics
}

/** The brand of a request; NOT_FOUND when there is none of that name. */
export function brandOf(context: AnalyticsContext, brand: string): BrandInfo {
  const info = context.brands.get(checkBrand(brand))
  if (!info) throw notFound()
  return info
}

/** The brand's newest snapshot; FAILED_PRECONDITION before the first. */
export async function requireSnapshot(context: AnalyticsContext, brand: string): Promise<Snapshot> {
  const [snapshot] = await newestSnapshots(context.database, brand, 1)
  if (!snapshot) throw failedPrecondition('the brand has no snapshot yet: take one first')
  return snapshot
}
