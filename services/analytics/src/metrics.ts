import type { Metrics } from '@stampede/platform'

/** All metrics of the service. */
export type AnalyticsMetrics = ReturnType<typeof analyticsMetrics>

const batchBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
const snapshotBuckets = [0.1, 0.3, 1, 3, 10, 30, 100, 300]

/** Registers the metrics of the service. */
export function analyticsMetrics(metrics: Metrics) {
  const stream = ['stream'] as const
  return {
    ingestedMessages: metrics.counter({
      name: 'ingested_messages_total',
      help: 'Messages whose rows are stored.',
      labels: stream,
    }),
    ingestedRows: metrics.counter({ name: 'ingested_rows_total', help: 'Rows stored.', labels: ['table'] as const }),
    badMessages: metrics.counter({
      name: 'bad_messages_total',
      help: 'Messages that cannot become rows; they are in the stream DEAD.',
      labels: stream,
    }),
    repeatedMessages: metrics.counter({
      name: 'repeated_messages_total',
      help: 'Messages left out because they repeat an earlier one.',
      labels: stream,
    }),
    ingestFailures: metrics.counter({
      name: 'ingest_failures_total',
      help: 'Times that ingestion stopped with an error and began again.',
      labels: stream,
    }),
    ingestPosition: metrics.gauge({
      name: 'ingest_position_messages',
      help: 'Sequence of the last message whose rows are stored.',
      labels: stream,
    }),
    ingestLag: metrics.gauge({
      name: 'ingest_lag_messages',
      help: 'Messages that are not stored yet; 0 where another replica stores them',
      labels: stream,
    }),
    batchSeconds: metrics.histogram({
      name: 'ingest_batch_seconds',
      help: 'Time to store one batch.',
      labels: stream,
      buckets: batchBuckets,
    }),
    snapshotSeconds: metrics.histogram({
      name: 'snapshot_seconds',
      help: 'Time to score all members of a brand.',
      buckets: snapshotBuckets,
    }),
  }
}
