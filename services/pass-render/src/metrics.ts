import type { Metrics } from '@stampede/platform'

/** Registers the metrics; each is explained by its help text. */
export function createMeters(metrics: Metrics) {
  const seconds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
  return {
    answers: metrics.counter({
      name: 'web_answers_total',
      help: 'Answers of the PassKit web service',
      labels: ['endpoint', 'status'],
    }),
    answerSeconds: metrics.histogram({
      name: 'web_answer_seconds',
      help: 'Time to answer a phone',
      labels: ['endpoint'],
      buckets: seconds,
    }),
    passes: metrics.counter({ name: 'passes_total', help: 'Signed passes handed out', labels: ['cache'] }),
    signSeconds: metrics.histogram({
      name: 'sign_seconds',
      help: 'Queueing and signing of one pass',
      buckets: seconds,
    }),
    signQueue: metrics.gauge({ name: 'sign_queue_passes', help: 'Passes waiting to be signed' }),
    overloads: metrics.counter({ name: 'overloads_total', help: 'Requests turned away with 503' }),
    visibleChanges: metrics.counter({
      name: 'visible_changes_total',
      help: 'Passes that look different after an event',
      labels: ['brand'],
    }),
    recipients: metrics.counter({
      name: 'push_recipients_total',
      help: 'Recipients handed to the push lanes',
      labels: ['brand', 'lane'],
    }),
    deadTokens: metrics.counter({
      name: 'dead_tokens_total',
      help: 'Devices dropped by dead tokens',
      labels: ['brand'],
    }),
    capacity: metrics.gauge({ name: 'capacity_passes_per_second', help: 'Answer capacity that is published' }),
    nameFailures: metrics.counter({ name: 'name_failures_total', help: 'Failed look-ups of member keys' }),
    phoneLogs: metrics.counter({ name: 'phone_log_lines_total', help: 'Log lines received from phones' }),
  }
}

/** Every metric of this service. */
export type Meters = ReturnType<typeof createMeters>
