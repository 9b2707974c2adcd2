import type { BoardSpec } from './board.ts'
import { perSecond, quantiles, shareOf } from './queries.ts'

const chosen = 'brand="$brand"'

/** One brand, for whoever is asked by its owner. */
export const brand: BoardSpec = {
  uid: 'brand',
  title: 'one brand',
  description: 'Cards, pushes and fetches of one brand, and the state of its certificate.',
  brandsOf: 'stampede_pass_render_certificate_not_after_seconds',
  severalBrands: false,
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Certificate ends',
          description: 'The one that is mounted; docs/runbooks/stampede-certificate-expires.md.',
          unit: 'dateTimeFromNow',
          kind: 'number',
          queries: { end: `min(stampede_pass_render_certificate_not_after_seconds{${chosen}}) * 1000` },
        },
        {
          title: 'Cannot push',
          description: '1 while its certificate is missing or refused; docs/runbooks/stampede-brand-cannot-push.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 1,
          queries: { stopped: `max(stampede_push_dispatcher_stopped_brands_count{${chosen}}) or vector(0)` },
        },
        {
          title: 'Till to phone within 5 s',
          description: 'Of the purchases that woken phones have fetched.',
          unit: 'percentunit',
          kind: 'number',
          queries: {
            share: `${perSecond('stampede_pass_render_till_to_phone_seconds_bucket', `le="5",${chosen}`)} / ${perSecond('stampede_pass_render_till_to_phone_seconds_count', chosen)}`,
          },
        },
        {
          title: 'Fetched within 60 s',
          description: 'Of the fetches of woken phones.',
          unit: 'percentunit',
          kind: 'number',
          queries: { share: shareOf('stampede_pass_render_fetches_total', 'within="objective"', chosen) },
        },
        {
          title: 'Phones on their way',
          description: 'Of its campaigns.',
          unit: 'short',
          kind: 'number',
          queries: { phones: `max(stampede_campaigns_outstanding_phones{${chosen}}) or vector(0)` },
        },
      ],
    },
    {
      title: 'Members and cards',
      panels: [
        {
          title: 'Enrolments by outcome',
          description: 'replayed: the same request again.',
          unit: 'cps',
          queries: { '{{outcome}}': perSecond('stampede_enrollment_enrolments_total', chosen, 'outcome') },
        },
        {
          title: 'Cards that look different',
          description: 'After purchases and other events.',
          unit: 'cps',
          queries: { cards: perSecond('stampede_pass_render_visible_changes_total', chosen) },
        },
        {
          title: 'Devices dropped',
          description: 'Their tokens are dead: the card was removed from the phone.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: { devices: perSecond('stampede_pass_render_dead_tokens_total', chosen) },
        },
        {
          title: 'Passes that could not be made',
          description: 'No design, or no certificate that fits.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: { '{{state}}': perSecond('stampede_pass_render_unready_brands_total', chosen, 'state') },
        },
        {
          title: 'Visits to stores',
          description: 'And lists of places that changed.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: {
            visits: perSecond('stampede_geo_visits_total', chosen),
            lists: perSecond('stampede_geo_relevance_changes_total', chosen),
          },
        },
        {
          title: 'Google',
          description: 'What became of desired states of its objects and classes.',
          unit: 'cps',
          queries: { '{{outcome}}': perSecond('stampede_push_dispatcher_google_resources_total', chosen, 'outcome') },
        },
      ],
    },
    {
      title: 'Out and in',
      panels: [
        {
          title: 'Pushes by lane and outcome',
          description: 'tx: purchases. bulk: campaigns.',
          unit: 'cps',
          queries: {
            '{{lane}} {{outcome}}': perSecond('stampede_push_dispatcher_outcomes_total', chosen, 'lane, outcome'),
          },
        },
        {
          title: 'Fetches of woken phones',
          description: 'Within 60 s of the change, or later.',
          unit: 'cps',
          queries: { '{{within}}': perSecond('stampede_pass_render_fetches_total', chosen, 'within') },
        },
        {
          title: 'Till to phone',
          description: 'From the ledger’s record to the fetch of a woken phone.',
          unit: 's',
          queries: quantiles('stampede_pass_render_till_to_phone_seconds', chosen),
        },
      ],
    },
  ],
}
