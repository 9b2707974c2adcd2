import type { Metrics } from './metrics.ts'

/** The relay's metrics. */
export type RelayMetrics = ReturnType<typeof createRelayMetrics>

/** Registers the metrics of a service that has an outbox. */
export function createRelayMetrics(metrics: Metrics) {
  return {
    published: metrics.counter({ name: 'outbox_published_total', help: 'Messages moved from the outbox to JetStream' }),
    duplicates: metrics.counter({ name: 'outbox_duplicates_total', help: 'Messages that JetStream knew already' }),
    rejected: metrics.counter({ name: 'outbox_rejected_total', help: 'Messages that JetStream can never take' }),
    failures: metrics.counter({ name: 'outbox_failures_total', help: 'Failed attempts to relay, tried again' }),
    leader: metrics.gauge({ name: 'outbox_leader_count', help: '1 where this replica relays the outbox' }),
    oldest: metrics.gauge({
      name: 'outbox_oldest_seconds',
      help: 'Age of the oldest message that waits for JetStream, where this replica relays; 0 when none waits',
    }),
  }
}

/** The metrics of the consumers of a service. */
export type ConsumerMetrics = ReturnType<typeof createConsumerMetrics>

/** Registers the metrics of a service that reads JetStream; `consumer` is the durable's name. */
export function createConsumerMetrics(metrics: Metrics) {
  const labels = ['consumer'] as const
  return {
    handled: metrics.counter({ name: 'consumer_messages_total', help: 'Messages handled', labels }),
    failed: metrics.counter({ name: 'consumer_failures_total', help: 'Batches or parts of them that failed', labels }),
    dead: metrics.counter({ name: 'consumer_dead_total', help: 'Messages moved to the stream DEAD', labels }),
    lag: metrics.gauge({
      name: 'consumer_lag_messages',
      help: 'Messages that are not acknowledged yet, by all replicas; each replica says the same',
      labels,
    }),
    batchSize: metrics.histogram({
      name: 'consumer_batch_messages',
      help: 'Messages per call of the handler',
      labels,
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
    }),
    seconds: metrics.histogram({
      name: 'consumer_batch_seconds',
      help: 'Time per call of the handler',
      labels,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    }),
  }
}

/** Registers the metrics of a service's calls. */
export function createRpcMetrics(metrics: Metrics) {
  return {
    duration: metrics.histogram({
      name: 'rpc_duration_seconds',
      help: 'Time from the arrival of a call to its answer',
      labels: ['method', 'transport', 'code'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    }),
  }
}

/** Registers the metrics of the service that looks at the stream DEAD. */
export function createDeadLetterMetrics(metrics: Metrics) {
  return {
    letters: metrics.gauge({
      name: 'dead_letters_count',
      help: 'Messages on the stream DEAD: nobody could handle them, somebody must look',
    }),
  }
}
