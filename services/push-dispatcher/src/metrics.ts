import type { Metrics } from '@stampede/platform'

export { createGoogleMetrics } from './google/metrics.ts'

/** Every metric of the dispatcher besides those of the Google side. */
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
    reasons: metrics.counter({
      name: 'reasons_total',
      help: 'Recipients that were not accepted, by the reason of the last answer',
      labels: ['lane', 'reason'],
    }),
    answerSeconds: metrics.histogram({
      name: 'answer_seconds',
      help: 'From handing a push to the connections to the answer of APNs; of a sample',
      labels: ['lane'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    }),
    connections: metrics.gauge({
      name: 'connections_count',
      help: 'Connections to APNs: connecting, ready, draining',
      labels: ['lane', 'state'],
    }),
    inFlight: metrics.gauge({ name: 'in_flight_count', help: 'Pushes on the wire', labels: ['lane'] }),
    replicas: metrics.gauge({
      name: 'replicas_count',
      help: 'Replicas of the dispatcher that are seen, this one included',
    }),
    lanes: metrics.gauge({ name: 'lanes_count', help: 'Lanes of brands that this replica reads', labels: ['lane'] }),
    queueSeconds: metrics.histogram({
      name: 'queue_seconds',
      help: 'How long chunks were on the queue when they were taken',
      labels: ['lane'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 1_800],
    }),
    queueAge: metrics.gauge({
      name: 'queue_age_seconds',
      help: 'Age of the chunk that is in hand for longest; 0 when none is',
      labels: ['brand', 'lane'],
    }),
    badTokens: metrics.counter({ name: 'bad_tokens_total', help: 'Answers BadDeviceToken', labels: ['brand', 'lane'] }),
    openBreakers: metrics.gauge({
      name: 'open_breakers_count',
      help: '1 while the bulk lane of a brand is blocked because most of its tokens are bad: look at the campaign',
      labels: ['brand'],
    }),
  }
}

/** The dispatcher's metrics. */
export type DispatcherMetrics = ReturnType<typeof createDispatcherMetrics>
