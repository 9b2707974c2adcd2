import type { BoardSpec } from './board.ts'
import { perSecond, quantile, quantiles, shareOf } from './queries.ts'

const chosen = 'brand=~"$brand"'

/** Phones that come back for their passes: the second half of a stampede. */
export const pullBack: BoardSpec = {
  uid: 'pull-back',
  title: 'pull-back',
  description: 'Phones that come back: connections, lists, signed passes, and how long they were waited for.',
  brandsOf: 'stampede_pass_render_fetches_total',
  rows: [
    {
      title: 'Objectives',
      panels: [
        {
          title: 'Till to phone within 5 s',
          description: 'Of the purchases that woken phones have fetched; the objective is 95 % over 30 days.',
          unit: 'percentunit',
          kind: 'number',
          queries: {
            share: `${perSecond('stampede_pass_render_till_to_phone_seconds_bucket', `le="5",${chosen}`)} / ${perSecond('stampede_pass_render_till_to_phone_seconds_count', chosen)}`,
          },
        },
        {
          title: 'Fetched within 60 s',
          description: 'Of the fetches of woken phones; the objective is 95 % over 30 days.',
          unit: 'percentunit',
          kind: 'number',
          queries: { share: shareOf('stampede_pass_render_fetches_total', 'within="objective"', chosen) },
        },
        {
          title: 'Budget burnt, till to phone',
          description: 'Misses of the last six hours by those that 30 days allow; 1 is the pace that just holds.',
          unit: 'short',
          kind: 'number',
          redFrom: 6,
          queries: { rate: 'stampede:till_to_phone_misses:ratio_rate6h / 0.05' },
        },
        {
          title: 'Budget burnt, fetched in time',
          description: 'Misses of the last six hours by those that 30 days allow; 1 is the pace that just holds.',
          unit: 'short',
          kind: 'number',
          redFrom: 6,
          queries: { rate: 'stampede:fetched_in_time_misses:ratio_rate6h / 0.05 or vector(0)' },
        },
      ],
    },
    {
      title: 'How long phones were waited for',
      panels: [
        {
          title: 'Till to phone',
          description:
            'From the ledger’s record to the fetch of a woken phone. Phones that are off come when they are on.',
          unit: 's',
          queries: quantiles('stampede_pass_render_till_to_phone_seconds', chosen),
        },
        {
          title: 'Change to fetch',
          description: 'Of purchases and campaigns, from the change of the pass.',
          unit: 's',
          queries: quantiles('stampede_pass_render_change_to_fetch_seconds', chosen),
        },
        {
          title: 'Woken and come',
          description:
            'Pushes that APNs accepted, and fetches of woken phones. The gap is phones that are off, or cannot reach us.',
          unit: 'cps',
          queries: {
            accepted: perSecond('stampede_push_dispatcher_outcomes_total', `outcome="accepted",${chosen}`),
            'fetched in time': perSecond('stampede_pass_render_fetches_total', `within="objective",${chosen}`),
            'fetched later': perSecond('stampede_pass_render_fetches_total', `within="later",${chosen}`),
          },
        },
      ],
    },
    {
      title: 'The web service',
      panels: [
        {
          title: 'Answers by endpoint and status',
          description: '503: the phone shall come again. 401: it has a token that is not its pass’s.',
          unit: 'cps',
          queries: {
            '{{endpoint}} {{status}}': perSecond('stampede_pass_render_web_answers_total', '', 'endpoint, status'),
          },
        },
        {
          title: 'Time to answer, 99 of 100',
          description: 'Without the handshake.',
          unit: 's',
          queries: { '{{endpoint}}': quantile(0.99, 'stampede_pass_render_web_answer_seconds', '', 'endpoint') },
        },
        {
          title: 'New connections',
          description: 'A handshake is the dearest part of a phone’s visit. refused: told to come again.',
          unit: 'cps',
          queries: { '{{outcome}}': perSecond('stampede_pass_render_web_connections_total', '', 'outcome') },
        },
      ],
    },
    {
      title: 'Signing and capacity',
      panels: [
        {
          title: 'Signed passes',
          description: 'By what the cache could give.',
          unit: 'cps',
          queries: { '{{cache}}': perSecond('stampede_pass_render_passes_total', '', 'cache') },
        },
        {
          title: 'Queueing and signing',
          description: 'Of one pass.',
          unit: 's',
          queries: quantiles('stampede_pass_render_sign_seconds'),
        },
        {
          title: 'What waits',
          description: 'Passes for their signature, connections for their handshake.',
          unit: 'short',
          queries: {
            signatures: 'sum(stampede_pass_render_sign_queue_passes)',
            handshakes: 'sum(stampede_pass_render_web_waiting_connections)',
          },
        },
        {
          title: 'Capacity',
          description: 'Phones per second by replica; its sum paces the campaigns.',
          unit: 'cps',
          queries: { '{{instance}}': 'sum by (instance) (stampede_pass_render_capacity_passes_per_second)' },
        },
        {
          title: 'How long a phone waits for its turn',
          description: 'One that comes now, by replica.',
          unit: 's',
          queries: { '{{instance}}': 'max by (instance) (stampede_pass_render_answer_lag_seconds)' },
        },
        {
          title: 'Turned away',
          description: 'Answered with 503 because too many wait; docs/runbooks/stampede-phones-turned-away.md.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: { '{{endpoint}}': perSecond('stampede_pass_render_overloads_total', '', 'endpoint') },
        },
      ],
    },
  ],
}
