import type { Metrics } from '@stampede/platform'

/** Metrics of the requests to the API server. */
export type KubeMetrics = ReturnType<typeof createKubeMetrics>
/** Metrics of caches, queues, reconciles and leadership. */
export type KernelMetrics = ReturnType<typeof createKernelMetrics>

/** Requests to the API server. */
export function createKubeMetrics(metrics: Metrics) {
  return {
    requests: metrics.counter({
      name: 'kube_requests_total',
      help: 'Requests to the API server by what they came to',
      labels: ['verb', 'code'],
    }),
    requestSeconds: metrics.histogram({
      name: 'kube_request_seconds',
      help: 'Time of a request to the API server; of a watch, until its header came',
      labels: ['verb'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30],
    }),
  }
}

/** Everything else that the kernel counts. */
export function createKernelMetrics(metrics: Metrics) {
  return {
    ...createKubeMetrics(metrics),
    ...informerMetrics(metrics),
    ...queueMetrics(metrics),
    ...writeMetrics(metrics),
  }
}

function informerMetrics(metrics: Metrics) {
  return {
    informerContact: metrics.gauge({
      name: 'informer_last_contact_timestamp_seconds',
      help: 'When the last list, event or bookmark of a resource arrived; old means blind',
      labels: ['resource'],
    }),
    informerObjects: metrics.gauge({
      name: 'informer_objects_count',
      help: 'Objects in the cache of a resource',
      labels: ['resource'],
    }),
    informerRelists: metrics.counter({
      name: 'informer_relists_total',
      help: 'Full lists of a resource, the first included',
      labels: ['resource'],
    }),
    informerListFailures: metrics.counter({
      name: 'informer_list_failures_total',
      help: 'Lists that failed, by code',
      labels: ['resource', 'code'],
    }),
    informerWatchEnds: metrics.counter({
      name: 'informer_watch_ends_total',
      help: 'Watches that ended, by cause: closed, silent, or the code of an error',
      labels: ['resource', 'cause'],
    }),
    informerBadEvents: metrics.counter({
      name: 'informer_bad_events_total',
      help: 'Lines of a watch that are no event; each makes the cache list again',
      labels: ['resource'],
    }),
  }
}

function queueMetrics(metrics: Metrics) {
  return {
    queueKeys: metrics.gauge({
      name: 'queue_keys_count',
      help: 'Keys that wait for a worker; those that wait for their time do not count',
      labels: ['controller'],
    }),
    queueSeconds: metrics.histogram({
      name: 'queue_seconds',
      help: 'From the moment that a key was due until a worker took it',
      labels: ['controller'],
      buckets: [0.01, 0.1, 1, 10, 60, 600],
    }),
    queueDropped: metrics.counter({
      name: 'queue_dropped_keys_total',
      help: 'Keys that a full queue refused; the next resync brings them back',
      labels: ['controller'],
    }),
    retries: metrics.counter({
      name: 'retries_total',
      help: 'Reconciles that will be tried again because they failed',
      labels: ['controller'],
    }),
    reconcileSeconds: metrics.histogram({
      name: 'reconcile_seconds',
      help: 'Time of a reconcile by outcome: done, temporary, permanent, failed',
      labels: ['controller', 'outcome'],
      buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120],
    }),
    reconcileSuccess: metrics.gauge({
      name: 'reconcile_last_success_timestamp_seconds',
      help: 'When a reconcile last succeeded',
      labels: ['controller'],
    }),
    leader: metrics.gauge({
      name: 'leader_count',
      help: '1 while this replica leads; the sum over all replicas should be 1',
    }),
  }
}

function writeMetrics(metrics: Metrics) {
  return {
    statusWrites: metrics.counter({
      name: 'status_writes_total',
      help: 'Writes of a status, by what they came to: written or unchanged',
      labels: ['resource', 'outcome'],
    }),
    eventsRecorded: metrics.counter({
      name: 'events_total',
      help: 'Kubernetes events by what became of them: written, repeated, dropped, failed',
      labels: ['outcome'],
    }),
  }
}
