import type { Counter, Gauge, Histogram, Metrics } from '@stampede/platform'

export { createKernelMetrics } from './kernel/index.ts'

/** Calls to App Store Connect. */
export interface AppleMetrics {
  readonly calls: Counter<'operation' | 'status'>
  readonly seconds: Histogram<'operation'>
}

/** What the operator measures of brands. */
export interface BrandMetrics {
  readonly certificateExpirySeconds: Gauge<'brand'>
  readonly certificateRenewalSeconds: Gauge<'brand'>
  readonly ready: Gauge<'brand'>
  readonly steps: Counter<'step'>
  readonly failures: Counter<'reason'>
}

/** All metrics of the operator besides its kernel's. */
export interface OperatorMetrics {
  readonly apple: AppleMetrics
  readonly brands: BrandMetrics
}

/** Creates the metrics. */
export function createOperatorMetrics(metrics: Metrics): OperatorMetrics {
  return {
    apple: {
      calls: metrics.counter({
        name: 'appstore_calls_total',
        help: 'Calls to App Store Connect by operation and HTTP status; none: no answer.',
        labels: ['operation', 'status'],
      }),
      seconds: metrics.histogram({
        name: 'appstore_call_seconds',
        help: 'Time that App Store Connect took to answer.',
        labels: ['operation'],
        buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      }),
    },
    brands: {
      certificateExpirySeconds: metrics.gauge({
        name: 'certificate_expiry_timestamp_seconds',
        help: "When the brand's published certificate ends, Unix seconds.",
        labels: ['brand'],
      }),
      certificateRenewalSeconds: metrics.gauge({
        name: 'certificate_renewal_timestamp_seconds',
        help: "When the brand's published certificate is due for renewal, Unix seconds.",
        labels: ['brand'],
      }),
      ready: metrics.gauge({
        name: 'brand_ready_ratio',
        help: 'Whether all of the brand is as asked for: 1 or 0.',
        labels: ['brand'],
      }),
      steps: metrics.counter({
        name: 'issuing_steps_total',
        help: 'Steps taken on the way to certificates.',
        labels: ['step'],
      }),
      failures: metrics.counter({
        name: 'brand_failures_total',
        help: 'Failures of parts of brands by reason.',
        labels: ['reason'],
      }),
    },
  }
}
