import type { BoardSpec } from './board.ts'
import { perSecond, quantile, quantiles } from './queries.ts'

const ledgerCalls = 'stampede_ledger_rpc_duration_seconds'

/** Points and money. */
export const ledger: BoardSpec = {
  uid: 'ledger',
  title: 'ledger',
  description: 'Calls of tills, transactions, the way of events out of the outbox, and the nightly check of all books.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Broken rules',
          description: 'Of the newest check of the whole ledger; docs/runbooks/stampede-ledger-broken.md.',
          unit: 'short',
          kind: 'number',
          redFrom: 1,
          queries: { rules: 'max(stampede_ledger_verify_broken_rules)' },
        },
        {
          title: 'Checked',
          description: 'When the newest check of the whole ledger was finished; there is one every night.',
          unit: 'dateTimeFromNow',
          kind: 'number',
          queries: { checked: 'max(stampede_ledger_verify_finished_seconds) * 1000' },
        },
        {
          title: 'Postings checked',
          description: 'By the newest check.',
          unit: 'short',
          kind: 'number',
          queries: { postings: 'max(stampede_ledger_verify_checked_transactions)' },
        },
        {
          title: 'Oldest event in the outbox',
          description: 'It should be milliseconds; docs/runbooks/stampede-outbox-old.md.',
          unit: 's',
          kind: 'number',
          redFrom: 30,
          queries: { age: 'max(stampede_ledger_outbox_oldest_seconds)' },
        },
        {
          title: 'Calls that fail by our fault',
          description: 'INTERNAL, UNAVAILABLE or DEADLINE_EXCEEDED; the objective is 0.1 % over 30 days.',
          unit: 'percentunit',
          kind: 'number',
          redFrom: 0.01,
          queries: {
            share: `(${perSecond(`${ledgerCalls}_count`, 'code=~"INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED"')} or vector(0)) / ${perSecond(`${ledgerCalls}_count`)}`,
          },
        },
      ],
    },
    {
      title: 'Calls',
      panels: [
        {
          title: 'Calls by method',
          description: 'Of tills, shops and CRM.',
          unit: 'cps',
          queries: { '{{method}}': perSecond(`${ledgerCalls}_count`, '', 'method') },
        },
        {
          title: 'Time of a call, 99 of 100',
          description: 'From its arrival to its answer.',
          unit: 's',
          queries: { '{{method}}': quantile(0.99, ledgerCalls, '', 'method') },
        },
        {
          title: 'Answers that are no OK',
          description: 'INSUFFICIENT_POINTS and the like are answers to tills; INTERNAL and UNAVAILABLE are ours.',
          unit: 'cps',
          emptyWhenWell: true,
          queries: { '{{code}}': perSecond(`${ledgerCalls}_count`, 'code!="OK"', 'code') },
        },
      ],
    },
    {
      title: 'Transactions',
      panels: [
        {
          title: 'Commands per transaction',
          description: 'The busier, the more share one.',
          unit: 'short',
          queries: quantiles('stampede_ledger_flush_items'),
        },
        {
          title: 'Time of a transaction',
          description: 'With its retries.',
          unit: 's',
          queries: quantiles('stampede_ledger_flush_seconds'),
        },
        {
          title: 'Commands that wait',
          description: 'By replica. Near the limit tills are told RESOURCE_EXHAUSTED.',
          unit: 'short',
          queries: { '{{instance}}': 'max by (instance) (stampede_ledger_queued_items)' },
        },
      ],
    },
    {
      title: 'Around it',
      panels: [
        {
          title: 'Events to JetStream',
          description: 'Moved out of the outbox, tried again, and set aside because no server can take them.',
          unit: 'cps',
          queries: {
            moved: perSecond('stampede_ledger_outbox_published_total'),
            'tried again': perSecond('stampede_ledger_outbox_failures_total'),
            'set aside': perSecond('stampede_ledger_outbox_rejected_total'),
          },
        },
        {
          title: 'Ended by the sweeper',
          description: 'Accounts whose points or holds were over, and passes that failed.',
          unit: 'cps',
          queries: {
            accounts: perSecond('stampede_ledger_swept_accounts_total'),
            failed: perSecond('stampede_ledger_sweep_failures_total'),
          },
        },
        {
          title: 'How long the nightly check takes',
          description: 'Nearing a day it needs more hardware, or a replica of PostgreSQL to read from.',
          unit: 's',
          queries: { check: 'max(stampede_ledger_verify_duration_seconds)' },
        },
      ],
    },
  ],
}
