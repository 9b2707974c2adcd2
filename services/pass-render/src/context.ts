import type { BrandDirectory, Clock, Credentials, Database, Logger, Metrics, Nats, Relay } from '@stampede/platform'
import type { Capacity } from './capacity.ts'
import type { Designs } from './designs.ts'
import type { Secrets } from './domain/secrets.ts'
import type { Fetches } from './fetches.ts'
import type { GoogleRootKeys } from './google-root-keys.ts'
import type { PhoneLimits } from './http/limits.ts'
import type { Meters } from './metrics.ts'
import type { PassTypes } from './pass-types.ts'
import type { Previews } from './preview/previews.ts'
import type { Renderer } from './renderer.ts'
import type { SignQueue } from './sign-queue.ts'
import type { Signers } from './signers.ts'
import type { PhoneReads } from './store/phone-reads.ts'

/** Everything that the parts of this service share. */
export interface Context {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly meters: Meters
  readonly database: Database
  readonly nats: Nats
  readonly relay: Relay
  readonly brands: BrandDirectory
  readonly credentials: Credentials
  readonly secrets: Secrets
  readonly designs: Designs
  readonly renderer: Renderer
  readonly signers: Signers
  /** Keys that Google's callbacks are checked with. */
  readonly googleRootKeys: GoogleRootKeys
  /** Reads that every phone causes. */
  readonly phoneReads: PhoneReads
  /** Passes that wait for their signature. */
  readonly signQueue: SignQueue
  readonly passTypes: PassTypes
  readonly limits: PhoneLimits
  readonly fetches: Fetches
  readonly previews: Previews
  readonly capacity: Capacity
  /** Public base of a brand's links and PassKit web service, without a slash at the end. */
  readonly webUrl: (brand: string) => string
}
