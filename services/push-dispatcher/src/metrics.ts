import type { Metrics } from '@stampede/platform'

/** Every metric of the dispatcher. */
export function createDispatcherMetrics(metrics: Metrics) {
  return {
    outcomes: metrics.counter({
      name: 'outcomes_total',
      help: 'Recipients by outcome',
      labels: ['brand', 'lane', 'outcome'],
    }),
    repeats: metrics.counter({ name: 'repeats_total', help: 'Attempts beyond the first', labels: ['brand', 'lane'] }),
    repeatedChunks: metrics.counter({
      name: 'repeated_chunks_total',
      help: 'Chunks whose result was on the stream already',
      labels: ['lane'],
    }),
    unknownAnswers: metrics.counter({
      name: 'unknown_answers_total',
      help: 'Answers of APNs that are not in its table',
      labels: ['status'],
    }),
    chunkSeconds: metrics.histogram({
      name: 'chunk_seconds',
      help: 'From taking a chunk to its result on the stream',
      labels: ['lane'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300],
    }),
    acceptSeconds: metrics.histogram({
      name: 'accept_seconds',
      help: 'From the making of a chunk to the last outcome of it',
      labels: ['lane'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 5, 30],
    }),
    dead: metrics.counter({
      name: 'dead_messages_total',
      help: 'Messages moved to the stream DEAD',
      labels: ['stream'],
    }),
    dials: metrics.counter({ name: 'dials_total', help: 'Connections dialled to APNs', labels: ['brand'] }),
    dialFailures: metrics.counter({ name: 'dial_failures_total', help: 'Dials that failed', labels: ['brand'] }),
    goaways: metrics.counter({ name: 'goaways_total', help: 'GOAWAYs of APNs', labels: ['brand'] }),
    unknownOutcomes: metrics.counter({
      name: 'unknown_outcomes_total',
      help: 'Pushes whose outcome was lost with a connection or at their deadline; they are repeated',
      labels: ['brand'],
    }),
    stopped: metrics.gauge({
      name: 'stopped_brands_count',
      help: '1 while a brand cannot send because its certificate is missing or refused: call somebody',
      labels: ['brand'],
    }),
  }
}

/** The dispatcher's metrics. */
export type DispatcherMetrics = ReturnType<typeof createDispatcherMetrics>
