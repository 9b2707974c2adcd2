import type { BoardSpec } from './board.ts'
import { perSecond, shareOf } from './queries.ts'

const chosen = 'brand=~"$brand"'

/** For the hours of a large campaign. */
export const campaignControlRoom: BoardSpec = {
  uid: 'campaign-control-room',
  title: 'campaign control room',
  description: 'Out and in of campaigns: what waits, what is on the way, what phones took, and what holds it up.',
  brandsOf: 'stampede_campaigns_pushes_total',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Passes not released',
          description: 'What the campaigns that run or pause have before them.',
          unit: 'short',
          kind: 'number',
          queries: { waiting: `sum(max by (brand) (stampede_campaigns_waiting_passes{${chosen}})) or vector(0)` },
        },
        {
          title: 'Phones on their way',
          description:
            'Released or pushed, and not come yet; those that stay away for 60 s are taken for switched off.',
          unit: 'short',
          kind: 'number',
          queries: { phones: `sum(max by (brand) (stampede_campaigns_outstanding_phones{${chosen}})) or vector(0)` },
        },
        {
          title: 'Window in use',
          description:
            'Phones on their way among those that pass-render answers within 60 s. At 100 % campaigns go only as fast as phones come: docs/runbooks/stampede-pacing-saturated.md.',
          unit: 'percentunit',
          kind: 'number',
          redFrom: 0.95,
          queries: {
            'in use':
              '(sum(max by (brand) (stampede_campaigns_outstanding_phones)) or vector(0)) / max(stampede_campaigns_pacing_window_phones)',
          },
        },
        {
          title: 'Fetched within 60 s',
          description: 'Of the passes that woken phones took, the share that came within 60 s; the objective is 95 %.',
          unit: 'percentunit',
          kind: 'number',
          queries: { share: shareOf('stampede_pass_render_fetches_total', 'within="objective"', chosen) },
        },
        {
          title: 'Brands held back for bad tokens',
          description: 'Their campaigns wait, see docs/runbooks/stampede-push-tokens-bad.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 1,
          queries: { brands: 'sum(max by (brand) (stampede_push_dispatcher_open_breakers_count)) or vector(0)' },
        },
      ],
    },
    {
      title: 'Out',
      panels: [
        {
          title: 'Pushes of campaigns by outcome',
          description: 'Counted once each, by the results that came back.',
          unit: 'cps',
          queries: { '{{outcome}}': perSecond('stampede_campaigns_pushes_total', chosen, 'outcome') },
        },
        {
          title: 'Why pushes are not accepted',
          description: 'Reasons of APNs on the bulk lane, all brands. Unregistered is a card that was removed.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: { '{{reason}}': perSecond('stampede_push_dispatcher_reasons_total', 'lane="bulk"', 'reason') },
        },
        {
          title: 'Passes not released',
          description: 'Falls in a straight line while the rate is the limit.',
          unit: 'short',
          emptyWhenWell: true,
          queries: { '{{brand}}': `max by (brand) (stampede_campaigns_waiting_passes{${chosen}})` },
        },
      ],
    },
    {
      title: 'In',
      panels: [
        {
          title: 'Campaign passes fetched',
          description: 'By the phones that were woken.',
          unit: 'cps',
          queries: { '{{brand}}': perSecond('stampede_campaigns_passes_fetched_total', chosen, 'brand') },
        },
        {
          title: 'Phones on their way, and the window',
          description: 'Near the window for minutes: phones come back more slowly than they are woken.',
          unit: 'short',
          queries: {
            '{{brand}}': `max by (brand) (stampede_campaigns_outstanding_phones{${chosen}})`,
            window: 'max(stampede_campaigns_pacing_window_phones)',
          },
        },
        {
          title: 'Capacity of the web service',
          description: 'Phones per second that all replicas of pass-render say they can answer, and what they answer.',
          unit: 'cps',
          queries: {
            capacity: 'sum(stampede_pass_render_capacity_passes_per_second)',
            'signed passes': perSecond('stampede_pass_render_passes_total'),
          },
        },
      ],
    },
    {
      title: 'Google',
      panels: [
        {
          title: 'Recipients of messages by outcome',
          description: 'expired: the quota of the issuer did not reach them in time.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: {
            '{{outcome}}': perSecond('stampede_push_dispatcher_google_message_recipients_total', chosen, 'outcome'),
          },
        },
        {
          title: 'Recipients in hand',
          description: 'Without an outcome yet.',
          unit: 'short',
          emptyWhenWell: true,
          queries: { '{{issuer}}': 'sum by (issuer) (stampede_push_dispatcher_google_message_recipients_count)' },
        },
      ],
    },
  ],
}
