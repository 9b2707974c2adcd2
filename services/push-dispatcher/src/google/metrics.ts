import type { Metrics } from '@stampede/platform'
import type { GoogleMessageOutcome } from '@stampede/proto/push/v1'

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
    recipients: metrics.counter({
      name: 'google_message_recipients_total',
      help: 'What became of recipients of messages: accepted, silent, quota, expired (left over), rejected, aborted, unknown',
      labels: ['brand', 'outcome'],
    }),
    waiting: metrics.gauge({
      name: 'google_message_recipients_count',
      help: 'Recipients of messages in hand that have no outcome yet',
      labels: ['issuer'],
    }),
    buried: metrics.counter({
      name: 'google_dead_messages_total',
      help: 'Works that were no messages and went to the stream DEAD',
      labels: ['issuer'],
    }),
    queueSeconds: metrics.histogram({
      name: 'google_queue_seconds',
      help: 'How long messages were on the queue when they were taken up, by queue (broadcast, message)',
      labels: ['queue'],
      buckets: [0.1, 1, 10, 60, 600, 3_600, 36_000],
    }),
    oldestSeconds: metrics.gauge({
      name: 'google_oldest_message_seconds',
      help: 'Age of the oldest message in hand; 0 without one',
      labels: ['issuer', 'queue'],
    }),
    turnSeconds: metrics.histogram({
      name: 'google_turn_seconds',
      help: 'How long calls waited for their turn within the quota of their issuer, by lane (urgent, bulk)',
      labels: ['lane'],
      buckets: [0.01, 0.1, 0.5, 1, 5, 30, 300],
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

/** Outcomes by GoogleMessageOutcome. */
const outcomeNames: readonly string[] = [
  'unspecified',
  'accepted',
  'silent',
  'quota',
  'expired',
  'rejected',
  'aborted',
  'unknown',
]

/** Label of an outcome of a message. */
export function outcomeLabel(outcome: GoogleMessageOutcome): string {
  return outcomeNames[outcome] ?? 'unspecified'
}
