import { analyticsMetrics } from '@stampede/analytics/metrics'
import { createCampaignsMetrics } from '@stampede/campaigns/metrics'
import { createEnrollmentMetrics } from '@stampede/enrollment/metrics'
import { createGeoMetrics } from '@stampede/geo/metrics'
import { createLedgerMetrics } from '@stampede/ledger/metrics'
import { createKernelMetrics, createOperatorMetrics } from '@stampede/operator/metrics'
import { createMeters } from '@stampede/pass-render/metrics'
import { createMetrics, type Metrics } from '@stampede/platform'
import {
  createConsumerMetrics,
  createDeadLetterMetrics,
  createRelayMetrics,
  createRpcMetrics,
} from '@stampede/platform/metrics'
import { createDispatcherMetrics, createGoogleMetrics } from '@stampede/push-dispatcher/metrics'

type Register = (metrics: Metrics) => unknown

const withDatabase: readonly Register[] = [createRpcMetrics, createRelayMetrics]
const withEvents: readonly Register[] = [...withDatabase, createConsumerMetrics]

/** What registers the metrics of each service; the live test compares it with what the services print. */
const registers: Readonly<Record<string, readonly Register[]>> = {
  enrollment: [...withDatabase, createEnrollmentMetrics],
  ledger: [...withEvents, createLedgerMetrics],
  'pass-render': [...withEvents, createMeters],
  geo: [...withEvents, createGeoMetrics],
  campaigns: [...withEvents, createCampaignsMetrics],
  'push-dispatcher': [createRpcMetrics, createConsumerMetrics, createDispatcherMetrics, createGoogleMetrics],
  analytics: [createRpcMetrics, createDeadLetterMetrics, analyticsMetrics],
  operator: [createRpcMetrics, createKernelMetrics, createOperatorMetrics],
}

/** Labels of each series that a service prints, by the series' name. */
export type SeriesLabels = ReadonlyMap<string, ReadonlySet<string>>

/** Services that can be watched, as their jobs are called. */
export const services: readonly string[] = Object.keys(registers)

/** Every series of every service, out of the constructors that the services themselves call. */
export function knownSeries(): SeriesLabels {
  return new Map(services.flatMap((service) => [...seriesOf(service)]))
}

/** Every series of a service. */
export function seriesOf(service: string): SeriesLabels {
  const metrics = createMetrics(service)
  for (const register of registers[service] ?? []) register(metrics)
  return new Map(metrics.registry.getMetricsAsArray().flatMap(({ name, type }) => expand(metrics, name, String(type))))
}

function expand(metrics: Metrics, name: string, type: string): readonly (readonly [string, ReadonlySet<string>])[] {
  const labels = labelsOf(metrics.registry.getSingleMetric(name))
  if (type !== 'histogram') return [[name, new Set(labels)]]
  const plain = new Set(labels)
  return [
    [`${name}_bucket`, new Set([...labels, 'le'])],
    [`${name}_sum`, plain],
    [`${name}_count`, plain],
  ]
}

/** prom-client keeps them, though its types do not say so. */
function labelsOf(metric: unknown): readonly string[] {
  if (typeof metric !== 'object' || metric === null || !('labelNames' in metric)) return []
  return Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : []
}
