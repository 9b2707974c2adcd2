import type { Metrics } from '@stampede/platform'

/** Metrics of the Google side. */
export function createGoogleMetrics(metrics: Metrics) {
  return {
    calls: metrics.counter({
      name: 'google_calls_total',
      help: 'Calls of Google Wallet by class of the answer (2xx, 4xx, 429, 5xx, none)',
      labels: ['issuer', 'status'],
    }),
    callSeconds: metrics.histogram({
      name: 'google_call_seconds',
      help: 'From sending a call of Google Wallet to its answer',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    resources: metrics.counter({
      name: 'google_resources_total',
      help: 'What became of desired states: accepted, rejected, superseded, waiting (comes again), away (Google is)',
      labels: ['brand', 'outcome'],
    }),
  }
}

/** The metrics of the Google side. */
export type GoogleMetrics = ReturnType<typeof createGoogleMetrics>

/** Label of a status; throttling has one of its own because somebody must act on it. */
export function statusClass(status: number): string {
  if (status === 0) return 'none'
  return status === 429 ? '429' : `${Math.floor(status / 100)}xx`
}
