import { createClient, type PlatformConfig, readPlatformConfig, type ServiceClient } from '@stampede/platform'
import { AnalyticsServiceService } from '@stampede/proto/analytics/v1'
import { CampaignsServiceService } from '@stampede/proto/campaigns/v1'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { GeoServiceService } from '@stampede/proto/geo/v1'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import type { StoryCluster } from '../cluster/start.ts'
import type { DemoOptions } from '../options.ts'
import type { RunningPlatform } from '../platform/start.ts'
import type { PurchaseHistory } from '../receipts/model.ts'
import { createSandboxControl, type SandboxControl } from './sandbox-control.ts'
import type { Teller } from './say.ts'

/** Everything that the chapters of the story work with. */
export interface StoryContext {
  readonly platform: RunningPlatform
  readonly options: DemoOptions
  readonly brand: string
  readonly history: PurchaseHistory
  readonly teller: Teller
  readonly clients: Clients
  readonly sandbox: SandboxControl
  /** Where the brand is managed, in the story of rotation. */
  readonly cluster: StoryCluster | undefined
}

/** Clients with the root key: the story is the platform's owner. */
export interface Clients extends AsyncDisposable {
  readonly enrollment: ServiceClient<typeof EnrollmentServiceService>
  readonly ledger: ServiceClient<typeof LedgerServiceService>
  readonly passes: ServiceClient<typeof PassesServiceService>
  readonly geo: ServiceClient<typeof GeoServiceService>
  readonly campaigns: ServiceClient<typeof CampaignsServiceService>
  readonly analytics: ServiceClient<typeof AnalyticsServiceService>
}

/** Opens the clients of a running platform. */
export function openClients(platform: RunningPlatform): Clients {
  const config = readPlatformConfig(platform.env)
  const stack = new AsyncDisposableStack()
  const { ports, secrets } = platform
  const to = (port: number) => ({
    address: `localhost:${port}`,
    apiKey: secrets.rootKey,
    platform: config,
    // Above what a restart of the service takes: a killed part is waited for.
    defaultDeadlineMs: 60_000,
  })
  return {
    enrollment: stack.use(createClient(EnrollmentServiceService, to(ports.enrollmentGrpc))),
    ledger: stack.use(createClient(LedgerServiceService, to(ports.ledgerGrpc))),
    passes: stack.use(createClient(PassesServiceService, to(ports.passRenderGrpc))),
    geo: stack.use(createClient(GeoServiceService, to(ports.geoGrpc))),
    campaigns: stack.use(createClient(CampaignsServiceService, to(ports.campaignsGrpc))),
    analytics: stack.use(createClient(AnalyticsServiceService, to(ports.analyticsGrpc))),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The ledger as a till sees it: with the brand's till key. */
export function openTill(platform: RunningPlatform, tillKey: string): ServiceClient<typeof LedgerServiceService> {
  const config: PlatformConfig = readPlatformConfig(platform.env)
  const address = `localhost:${platform.ports.ledgerGrpc}`
  return createClient(LedgerServiceService, { address, apiKey: tillKey, platform: config, defaultDeadlineMs: 60_000 })
}

/** Story context minus what only the end needs. */
export function createContext(input: Omit<StoryContext, 'sandbox'>): StoryContext {
  return { ...input, sandbox: createSandboxControl(input.platform.ports.sandboxControl) }
}
