import type { BoardSpec } from './board.ts'
import { perSecond, quantile, quantiles } from './queries.ts'

const chosen = 'brand=~"$brand"'

/** The way from JetStream to APNs and Google. */
export const dispatcher: BoardSpec = {
  uid: 'dispatcher',
  title: 'push dispatcher',
  description: 'Lanes, connections and answers of APNs and Google. Purchases (tx) never wait behind campaigns (bulk).',
  brandsOf: 'stampede_push_dispatcher_outcomes_total',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Replicas',
          description: 'That see each other.',
          unit: 'short',
          kind: 'number',
          queries: { replicas: 'max(stampede_push_dispatcher_replicas_count)' },
        },
        {
          title: 'Oldest push of a purchase',
          description: 'In hand; docs/runbooks/stampede-push-queue-old.md.',
          unit: 's',
          kind: 'number',
          redFrom: 30,
          queries: { age: 'max(stampede_push_dispatcher_queue_age_seconds{lane="tx"})' },
        },
        {
          title: 'Brands that cannot push',
          description: 'Their certificate is missing or refused; docs/runbooks/stampede-brand-cannot-push.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 1,
          queries: { brands: 'sum(max by (brand) (stampede_push_dispatcher_stopped_brands_count)) or vector(0)' },
        },
        {
          title: 'Pushes on the wire',
          description: 'At this moment.',
          unit: 'short',
          kind: 'number',
          queries: { pushes: 'sum(stampede_push_dispatcher_in_flight_count)' },
        },
      ],
    },
    {
      title: 'Speed',
      panels: [
        {
          title: 'Made to accepted, purchases',
          description: 'From the making of a chunk of a purchase to its last outcome.',
          unit: 's',
          queries: quantiles('stampede_push_dispatcher_accept_seconds', 'lane="tx"'),
        },
        {
          title: 'On the queue, 99 of 100',
          description: 'How long chunks were on JetStream when they were taken.',
          unit: 's',
          queries: { '{{lane}}': quantile(0.99, 'stampede_push_dispatcher_queue_seconds', '', 'lane') },
        },
        {
          title: 'Answer of APNs, 99 of 100',
          description: 'From handing a push to the connections to the answer; of a sample.',
          unit: 's',
          queries: { '{{lane}}': quantile(0.99, 'stampede_push_dispatcher_answer_seconds', '', 'lane') },
        },
      ],
    },
    {
      title: 'Outcomes',
      panels: [
        {
          title: 'Recipients by lane and outcome',
          description: 'dead: the token is gone. rejected: APNs will not take it. expired: too late to be of use.',
          unit: 'cps',
          queries: {
            '{{lane}} {{outcome}}': perSecond('stampede_push_dispatcher_outcomes_total', chosen, 'lane, outcome'),
          },
        },
        {
          title: 'Why recipients were not accepted',
          description: 'Reason of the last answer.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: { '{{lane}} {{reason}}': perSecond('stampede_push_dispatcher_reasons_total', '', 'lane, reason') },
        },
        {
          title: 'Attempts beyond the first',
          description: 'Repeated pushes, and those whose outcome was lost with a connection.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: {
            'repeated {{lane}}': perSecond('stampede_push_dispatcher_repeats_total', chosen, 'lane'),
            'outcome lost': perSecond('stampede_push_dispatcher_unknown_outcomes_total', chosen),
            'unknown answers': perSecond('stampede_push_dispatcher_unknown_answers_total'),
          },
        },
      ],
    },
    {
      title: 'Connections',
      panels: [
        {
          title: 'Connections to APNs',
          description: 'Opened on demand per brand and lane, kept while busy and for at least an hour.',
          unit: 'short',
          queries: { '{{lane}} {{state}}': 'sum by (lane, state) (stampede_push_dispatcher_connections_count)' },
        },
        {
          title: 'Dials and ends',
          description: 'Many dials look like an attack to Apple; a GOAWAY is how it ends a connection in good order.',
          unit: 'cps',
          queries: {
            dials: perSecond('stampede_push_dispatcher_dials_total', chosen),
            'failed dials': perSecond('stampede_push_dispatcher_dial_failures_total', chosen),
            GOAWAY: perSecond('stampede_push_dispatcher_goaways_total', chosen),
          },
        },
        {
          title: 'Lanes per replica',
          description: 'Brands are shared out by rendezvous hashing; a replica that leaves moves only its own.',
          unit: 'short',
          queries: { '{{instance}} {{lane}}': 'sum by (instance, lane) (stampede_push_dispatcher_lanes_count)' },
        },
      ],
    },
    {
      title: 'Google',
      panels: [
        {
          title: 'Calls by class of answer',
          description: '429: the quota of the issuer is used up.',
          unit: 'cps',
          queries: { '{{status}}': perSecond('stampede_push_dispatcher_google_calls_total', '', 'status') },
        },
        {
          title: 'Time of a call',
          description: 'From sending it to the answer.',
          unit: 's',
          queries: quantiles('stampede_push_dispatcher_google_call_seconds'),
        },
        {
          title: 'Oldest message in hand',
          description: 'By issuer and queue.',
          unit: 's',
          emptyWhenWell: true,
          queries: {
            '{{issuer}} {{queue}}': 'max by (issuer, queue) (stampede_push_dispatcher_google_oldest_message_seconds)',
          },
        },
      ],
    },
  ],
}
