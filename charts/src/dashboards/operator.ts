import type { BoardSpec } from './board.ts'
import { perSecond, quantile } from './queries.ts'

/** Certificates of brands, and the machinery that renews them. */
export const operator: BoardSpec = {
  uid: 'operator',
  title: 'operator',
  description: 'Brands and their certificates, calls to App Store Connect, and the health of the operator itself.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Brands not as asked for',
          description: 'docs/runbooks/stampede-brand-not-ready.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 1,
          queries: { brands: 'count(min by (brand) (stampede_operator_brand_ready_ratio) < 1) or vector(0)' },
        },
        {
          title: 'Next certificate to end',
          description: 'Of those that are published.',
          unit: 'dateTimeFromNow',
          kind: 'number',
          queries: { end: 'min(stampede_operator_certificate_expiry_timestamp_seconds) * 1000' },
        },
        {
          title: 'Leaders',
          description: 'There should be one; docs/runbooks/stampede-operator-unled.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 2,
          queries: { leaders: 'sum(stampede_operator_leader_count)' },
        },
        {
          title: 'Heard from the API server',
          description: 'The resource that was silent for longest; docs/runbooks/stampede-operator-blind.md.',
          unit: 's',
          kind: 'number',
          redFrom: 600,
          queries: {
            '{{resource}}':
              'max(time() - max by (resource) (stampede_operator_informer_last_contact_timestamp_seconds))',
          },
        },
      ],
    },
    {
      title: 'Certificates',
      panels: [
        {
          title: 'Days left',
          description: 'Of what is published; renewed at two thirds of its life.',
          unit: 'short',
          queries: {
            '{{brand}}': '(min by (brand) (stampede_operator_certificate_expiry_timestamp_seconds) - time()) / 86400',
          },
        },
        {
          title: 'Days until renewal',
          description: 'Negative: due and not done.',
          unit: 'short',
          queries: {
            '{{brand}}': '(min by (brand) (stampede_operator_certificate_renewal_timestamp_seconds) - time()) / 86400',
          },
        },
        {
          title: 'Steps of issuing, failures of brands',
          description: 'By step and by reason.',
          unit: 'cps',
          queries: {
            '{{step}}': perSecond('stampede_operator_issuing_steps_total', '', 'step'),
            '{{reason}}': perSecond('stampede_operator_brand_failures_total', '', 'reason'),
          },
        },
      ],
    },
    {
      title: 'App Store Connect',
      panels: [
        {
          title: 'Calls by operation and status',
          description: '429: Apple’s limit of the team.',
          unit: 'cps',
          queries: {
            '{{operation}} {{status}}': perSecond('stampede_operator_appstore_calls_total', '', 'operation, status'),
          },
        },
        {
          title: 'Time of a call, 99 of 100',
          description: 'By operation.',
          unit: 's',
          queries: { '{{operation}}': quantile(0.99, 'stampede_operator_appstore_call_seconds', '', 'operation') },
        },
      ],
    },
    {
      title: 'Reconciling',
      panels: [
        {
          title: 'Reconciles by outcome',
          description: 'permanent: a human has to change something.',
          unit: 'cps',
          queries: {
            '{{controller}} {{outcome}}': perSecond(
              'stampede_operator_reconcile_seconds_count',
              '',
              'controller, outcome',
            ),
          },
        },
        {
          title: 'Keys that wait, keys refused',
          description: 'By controller.',
          unit: 'short',
          queries: {
            '{{controller}} wait': 'max by (controller) (stampede_operator_queue_keys_count)',
            '{{controller}} refused per second': perSecond(
              'stampede_operator_queue_dropped_keys_total',
              '',
              'controller',
            ),
          },
        },
        {
          title: 'Time of a reconcile, 99 of 100',
          description: 'By controller.',
          unit: 's',
          queries: { '{{controller}}': quantile(0.99, 'stampede_operator_reconcile_seconds', '', 'controller') },
        },
      ],
    },
    {
      title: 'The API server',
      panels: [
        {
          title: 'Requests by verb and code',
          description: 'What the operator asks for.',
          unit: 'cps',
          queries: { '{{verb}} {{code}}': perSecond('stampede_operator_kube_requests_total', '', 'verb, code') },
        },
        {
          title: 'Ends of watches, lists',
          description: 'closed is normal every five minutes. Many lists mean that watches do not hold.',
          unit: 'cps',
          queries: {
            '{{resource}} {{cause}}': perSecond('stampede_operator_informer_watch_ends_total', '', 'resource, cause'),
            '{{resource}} listed': perSecond('stampede_operator_informer_relists_total', '', 'resource'),
          },
        },
        {
          title: 'Objects in the cache',
          description: 'By resource.',
          unit: 'short',
          queries: { '{{resource}}': 'max by (resource) (stampede_operator_informer_objects_count)' },
        },
      ],
    },
  ],
}
