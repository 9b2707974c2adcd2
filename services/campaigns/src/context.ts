import type { BrandDirectory, CapacityDirectory, Clock, Database, Logger } from '@stampede/platform'
import type { CampaignsMetrics } from './metrics.ts'

/** A row of an audience as analytics gives it. */
export interface AudienceRow {
  /** First pass number, a multiple of 8,192. */
  readonly base: bigint
  /** 1,024 bytes. */
  readonly bitmap: Uint8Array
}

/** What the RPCs and jobs of this service work with. */
export interface Context {
  readonly database: Database
  readonly clock: Clock
  readonly newId: (nowMs: number) => string
  readonly brands: BrandDirectory
  readonly capacity: CapacityDirectory
  readonly logger: Logger
  readonly metrics: CampaignsMetrics
  /** Audience of segments, by analytics. Throws StampedeError. */
  readonly readAudience: (brand: string, segments: readonly string[]) => AsyncIterable<AudienceRow>
  /** Tells the relay that the outbox has new messages. */
  readonly wakeRelay: () => void
  /** Tells the leader that there may be something to release. */
  readonly wakeLeader: () => void
}
