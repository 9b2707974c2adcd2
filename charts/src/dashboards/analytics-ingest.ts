import type { BoardSpec } from './board.ts'
import { perSecond, quantile } from './queries.ts'

/** From JetStream into ClickHouse, and every other consumer of the streams. */
export const analyticsIngest: BoardSpec = {
  uid: 'analytics-ingest',
  title: 'analytics ingest and streams',
  description: 'What analytics stores, how far it is behind, and how far every other consumer and outbox is.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Messages not stored',
          description: 'By stream; docs/runbooks/stampede-analytics-behind.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 10_000,
          queries: { '{{stream}}': 'max by (stream) (stampede_analytics_ingest_lag_messages)' },
        },
        {
          title: 'Dead letters',
          description: 'Nobody could handle them; docs/runbooks/stampede-dead-letters.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 1,
          queries: { letters: 'max(stampede_analytics_dead_letters_count)' },
        },
        {
          title: 'Oldest event in any outbox',
          description: 'docs/runbooks/stampede-outbox-old.md.',
          unit: 's',
          kind: 'number',
          redFrom: 30,
          queries: { age: 'max({__name__=~"stampede_.+_outbox_oldest_seconds"})' },
        },
      ],
    },
    {
      title: 'Into ClickHouse',
      panels: [
        {
          title: 'Messages stored',
          description: 'By stream.',
          unit: 'cps',
          queries: { '{{stream}}': perSecond('stampede_analytics_ingested_messages_total', '', 'stream') },
        },
        {
          title: 'Rows stored',
          description: 'By table.',
          unit: 'cps',
          queries: { '{{table}}': perSecond('stampede_analytics_ingested_rows_total', '', 'table') },
        },
        {
          title: 'Time to store a batch, 99 of 100',
          description: 'Up to 5,000 messages.',
          unit: 's',
          queries: { '{{stream}}': quantile(0.99, 'stampede_analytics_ingest_batch_seconds', '', 'stream') },
        },
        {
          title: 'Messages not stored',
          description: 'Should fall after every burst.',
          unit: 'short',
          queries: { '{{stream}}': 'max by (stream) (stampede_analytics_ingest_lag_messages)' },
        },
        {
          title: 'Trouble',
          description: 'Ingestion that began again, messages that are none, and repeats that were left out.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: {
            'began again {{stream}}': perSecond('stampede_analytics_ingest_failures_total', '', 'stream'),
            'bad {{stream}}': perSecond('stampede_analytics_bad_messages_total', '', 'stream'),
            'repeated {{stream}}': perSecond('stampede_analytics_repeated_messages_total', '', 'stream'),
          },
        },
        {
          title: 'Time to score a brand',
          description: 'All members, 99 of 100 snapshots.',
          unit: 's',
          queries: { snapshot: quantile(0.99, 'stampede_analytics_snapshot_seconds') },
        },
      ],
    },
    {
      title: 'All consumers',
      panels: [
        {
          title: 'Messages that wait',
          description: 'Not acknowledged, by consumer; docs/runbooks/stampede-consumer-lag-grows.md.',
          unit: 'short',
          queries: { '{{consumer}}': 'max by (consumer) ({__name__=~"stampede_.+_consumer_lag_messages"})' },
        },
        {
          title: 'Messages handled',
          description: 'By consumer.',
          unit: 'cps',
          queries: {
            '{{consumer}}':
              'sum by (consumer) (rate({__name__=~"stampede_.+_consumer_messages_total"}[$__rate_interval]))',
          },
        },
        {
          title: 'Batches that failed, messages given up',
          description: 'A failure that passes comes again by itself; what is given up lies on DEAD.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: {
            'failed {{consumer}}':
              'sum by (consumer) (rate({__name__=~"stampede_.+_consumer_failures_total"}[$__rate_interval]))',
            'given up {{consumer}}':
              'sum by (consumer) (rate({__name__=~"stampede_.+_consumer_dead_total"}[$__rate_interval]))',
          },
        },
      ],
    },
  ],
}
