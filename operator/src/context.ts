import type { Clock, Logger, ServiceClient } from '@stampede/platform'
import type { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import type { AppleAccount } from './crd/apple-account.ts'
import type { Brand } from './crd/brand.ts'
import type { GoogleHosts } from './google/check.ts'
import type { HttpsJson } from './https-json.ts'
import type { EventRecorder, Informer, KubeStore, StatusWriter } from './kernel/index.ts'
import type { OperatorMetrics } from './metrics.ts'
import type { AppStores } from './reconcile/app-stores.ts'
import type { FailedWith } from './reconcile/failed-with.ts'
import type { GoogleVerdicts } from './reconcile/google.ts'

/** Where a brand's own domain leads to. */
export interface IngressSettings {
  /** Empty: the cluster's default class. */
  readonly className: string
  /** Put on every ingress: what makes a certificate manager issue its TLS certificate. */
  readonly annotations: Readonly<Record<string, string>>
  /** Service of pass-render's web service. */
  readonly serviceName: string
  readonly servicePort: number
}

/** What bounds and paces the reconciles. */
export interface Pace {
  /** How long after a request without an answer its certificate may still appear at Apple, ms. */
  readonly settleMs: number
  /** Wait after the first temporary failure, ms. */
  readonly retryFirstMs: number
  /** How often a certificate that is handed in by hand is looked for, ms. */
  readonly manualPollMs: number
}

/** Everything that the reconciles share. */
export interface Context {
  /** The one namespace that is worked on. */
  readonly namespace: string
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: OperatorMetrics
  readonly store: KubeStore
  /** Writes as a field manager of one brand's own, so that brands share an object without touching each other. */
  readonly storeOf: (brand: string) => KubeStore
  readonly status: StatusWriter
  readonly events: EventRecorder
  readonly brands: Informer<Brand>
  readonly accounts: Informer<AppleAccount>
  readonly appStores: AppStores
  readonly failedWith: FailedWith
  readonly googleVerdicts: GoogleVerdicts
  readonly googleHosts: GoogleHosts
  readonly googleHttps: HttpsJson
  /** Intermediates that certificates may be issued by, PEM. */
  readonly wwdrPems: readonly string[]
  /** undefined: brands' rows in the platform are not kept. */
  readonly enrollment:
    | Pick<ServiceClient<typeof EnrollmentServiceService>, 'getBrand' | 'createBrand' | 'updateBrand'>
    | undefined
  /** Secrets of published credentials are named `<prefix>-00` to `<prefix>-63`. */
  readonly shardPrefix: string
  /** undefined: brands' own domains get no ingress. */
  readonly ingress: IngressSettings | undefined
  readonly pace: Pace
}
