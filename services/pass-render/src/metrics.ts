import type { Metrics } from '@stampede/platform'

/** Registers the metrics; each is explained by its help text. */
export function createMeters(metrics: Metrics) {
  const seconds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
  return {
    answered: answerMeter(metrics, seconds),
    passes: metrics.counter({ name: 'passes_total', help: 'Signed passes handed out', labels: ['cache'] }),
    signSeconds: metrics.histogram({
      name: 'sign_seconds',
      help: 'Queueing and signing of one pass',
      buckets: seconds,
    }),
    signQueue: metrics.gauge({ name: 'sign_queue_passes', help: 'Passes that wait for their signature' }),
    overloads: metrics.counter({
      name: 'overloads_total',
      help: 'Requests turned away with 503 because too many wait',
      labels: ['endpoint'],
    }),
    connections: metrics.counter({
      name: 'web_connections_total',
      help: 'New connections of phones: admitted, waited before that, refused (told to come again), cut off',
      labels: ['outcome'],
    }),
    waitingConnections: metrics.gauge({
      name: 'web_waiting_connections',
      help: 'Connections of phones that wait for their handshake',
    }),
    unready: metrics.counter({
      name: 'unready_brands_total',
      help: 'Passes that could not be made: the brand has no design, or no certificate that fits and is valid',
      labels: ['brand', 'state'],
    }),
    certificateEnd: metrics.gauge({
      name: 'certificate_not_after_seconds',
      help: 'When the mounted Apple certificate of a brand ends, in Unix seconds',
      labels: ['brand'],
    }),
    fetches: metrics.counter({
      name: 'fetches_total',
      help: 'Versions that woken phones fetched: within 60 seconds after the change (the objective), or later',
      labels: ['brand', 'within'],
    }),
    fetchSeconds: metrics.histogram({
      name: 'change_to_fetch_seconds',
      help: 'Time from the change of a pass until a woken phone has fetched it',
      labels: ['brand'],
      buckets: [1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3_600, 86_400],
    }),
    tillSeconds: metrics.histogram({
      name: 'till_to_phone_seconds',
      help: 'Time from the ledger’s record of a purchase, or another change of points, until a woken phone has fetched it',
      labels: ['brand'],
      buckets: [0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3_600, 86_400],
    }),
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
    lag: metrics.gauge({ name: 'answer_lag_seconds', help: 'How long a phone that comes now waits for its turn' }),
    nameFailures: metrics.counter({ name: 'name_failures_total', help: 'Failed look-ups of member keys' }),
    googleLeftOver: metrics.counter({
      name: 'google_holders_left_over_total',
      help: 'Holders at Google whom the messages of campaigns will not reach in time, as planned at their start',
      labels: ['brand'],
    }),
    googleCallbacks: metrics.counter({
      name: 'google_callbacks_total',
      help: 'Callbacks of Google: taken, repeated, of an unknown card, refused',
      labels: ['outcome'],
    }),
    phoneLogs: metrics.counter({ name: 'phone_log_lines_total', help: 'Log lines received from phones' }),
  }
}

/** Counts and times answers. The counters of each endpoint are looked up once: with every request that would be dear. */
function answerMeter(metrics: Metrics, buckets: readonly number[]) {
  const counter = metrics.counter({
    name: 'web_answers_total',
    help: 'Answers of the PassKit web service',
    labels: ['endpoint', 'status'],
  })
  const histogram = metrics.histogram({
    name: 'web_answer_seconds',
    help: 'Time to answer a phone',
    labels: ['endpoint'],
    buckets,
  })
  const counters = new Map<string, ReturnType<typeof counter.labels>>()
  const histograms = new Map<string, ReturnType<typeof histogram.labels>>()
  return (endpoint: string, status: number, seconds: number): void => {
    const key = `${endpoint} ${status}`
    const counted = counters.get(key) ?? counter.labels(endpoint, String(status))
    const timed = histograms.get(endpoint) ?? histogram.labels(endpoint)
    counters.set(key, counted)
    histograms.set(endpoint, timed)
    counted.inc()
    timed.observe(seconds)
  }
}

/** Every metric of this service. */
export type Meters = ReturnType<typeof createMeters>
