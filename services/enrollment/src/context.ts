import type { KeyObject } from 'node:crypto'
import type { Clock, Database } from '@stampede/platform'
import type { BrandAccess } from './brand-access.ts'
import type { EnrollmentMetrics } from './metrics.ts'

/** What the RPCs and jobs of this service work with. */
export interface Context {
  readonly database: Database
  readonly clock: Clock
  /** 32 bytes that wrap all other keys. */
  readonly masterKey: KeyObject
  /** Digits that card numbers of new brands begin with. */
  readonly cardPrefix: string
  /** Opened brands, so that an enrolment does not unwrap and derive keys each time. */
  readonly brands: Map<string, BrandAccess>
  readonly metrics: EnrollmentMetrics
  /** Tells the relay that the outbox has new messages. */
  readonly wakeRelay: () => void
}
