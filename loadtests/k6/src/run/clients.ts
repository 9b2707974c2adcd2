import { createClient, type ServiceClient } from '@stampede/platform'
import { AnalyticsServiceService } from '@stampede/proto/analytics/v1'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import { PassesServiceService } from '@stampede/proto/passes/v1'
import type { Target } from './target.ts'

/** Clients that prepare a run. */
export interface Clients extends AsyncDisposable {
  readonly enrollment: ServiceClient<typeof EnrollmentServiceService>
  readonly ledger: ServiceClient<typeof LedgerServiceService>
  readonly passes: ServiceClient<typeof PassesServiceService>
  readonly analytics: ServiceClient<typeof AnalyticsServiceService>
}

const defaultDeadlineMs = 60_000

/** Opens the clients of a target. */
export function openClients({ addresses, caFile, key }: Target): Clients {
  const platform = { tls: caFile === undefined ? undefined : { ca: caFile, cert: undefined, key: undefined } }
  const stack = new AsyncDisposableStack()
  const to = (address: string) => ({ address, apiKey: key, platform, defaultDeadlineMs })
  return {
    enrollment: stack.use(createClient(EnrollmentServiceService, to(addresses.enrollment))),
    ledger: stack.use(createClient(LedgerServiceService, to(addresses.ledger))),
    passes: stack.use(createClient(PassesServiceService, to(addresses.passes))),
    analytics: stack.use(createClient(AnalyticsServiceService, to(addresses.analytics))),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
