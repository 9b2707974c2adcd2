import type { Metrics } from '@stampede/platform'

type Counter = ReturnType<Metrics['counter']>
type Gauge = ReturnType<Metrics['gauge']>
type Histogram = ReturnType<Metrics['histogram']>

/** The ledger's own metrics. */
export interface LedgerMetrics {
  readonly flushItems: Histogram
  readonly flushSeconds: Histogram
  readonly queuedItems: Gauge
  readonly sweptAccounts: Counter
  readonly sweepFailures: Counter
  readonly verifyFinished: Gauge
  readonly verifyBroken: Gauge
  readonly verifySeconds: Gauge
  readonly verifiedTransactions: Gauge
}

/** Registers the ledger's metrics. */
export function createLedgerMetrics(metrics: Metrics): LedgerMetrics {
  return {
    flushItems: metrics.histogram({
      name: 'flush_items',
      help: 'Commands that shared one transaction',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    }),
    flushSeconds: metrics.histogram({
      name: 'flush_seconds',
      help: 'Time of one transaction of commands, retries included',
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    }),
    queuedItems: metrics.gauge({ name: 'queued_items', help: 'Commands that wait for a transaction' }),
    sweptAccounts: metrics.counter({
      name: 'swept_accounts_total',
      help: 'Accounts for which points or holds were ended by the sweeper',
    }),
    sweepFailures: metrics.counter({ name: 'sweep_failures_total', help: 'Passes of the sweeper that failed' }),
    verifyFinished: metrics.gauge({
      name: 'verify_finished_seconds',
      help: 'When the newest check of the whole ledger was finished, in Unix seconds',
    }),
    verifyBroken: metrics.gauge({
      name: 'verify_broken_rules',
      help: '1 while the newest check of the whole ledger found a broken rule; a check ends at the first',
    }),
    verifySeconds: metrics.gauge({ name: 'verify_duration_seconds', help: 'How long the newest check took' }),
    verifiedTransactions: metrics.gauge({
      name: 'verify_checked_transactions',
      help: 'Postings that the newest check recomputed; 0 when a rule was broken',
    }),
  }
}
