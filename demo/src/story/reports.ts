import type { StoryContext } from './context.ts'
import { persist, waitUntil } from './patience.ts'
import { count, money } from './say.ts'

/** Waits until analytics has everything that was posted, then scores all members. */
export async function takeSnapshot(context: StoryContext, expected: { sales: number; passes: number }): Promise<void> {
  const { brand, clients, teller } = context
  await waitUntil(
    'analytics to ingest',
    300_000,
    () => clients.analytics.getIngestState({ brand }),
    ({ sales, passes }) => {
      teller.progress('ingested', Number(sales), expected.sales)
      return Number(sales) >= expected.sales && Number(passes) >= expected.passes
    },
  )
  teller.progressEnd()
  await persist('scoring the members', () =>
    clients.analytics.takeSnapshot({ idempotencyKey: `snapshot/${crypto.randomUUID()}`, brand }),
  )
}

/** Prints segments and KPIs out of ClickHouse. */
export async function tellReports({ brand, clients, teller }: StoryContext): Promise<void> {
  const kpis = await persist('reading the KPIs', () => clients.analytics.getKpis({ brand }))
  const { segments } = await persist('reading the segments', () => clients.analytics.getSegments({ brand }))
  const cash = (minor: bigint): string => money(minor, kpis.currency)
  teller.table([
    ['RFM segment', 'members', 'revenue', 'churning'],
    ...segments.map(({ segment, members, revenueMinor, churning }) => [
      segment.replaceAll('_', ' '),
      count(members),
      cash(revenueMinor),
      count(churning),
    ]),
  ])
  teller.line('')
  const percent = (share: number | undefined): string => (share === undefined ? '-' : `${(share * 100).toFixed(1)} %`)
  teller.table([
    ['KPI', ''],
    ['members', count(kpis.members)],
    ['buyers', count(kpis.buyers)],
    ['receipts', count(kpis.receipts)],
    ['returns', count(kpis.returns)],
    ['revenue, net of returns', cash(kpis.revenueMinor)],
    [
      'average receipt',
      kpis.averageReceiptMinor === undefined ? '-' : cash(BigInt(Math.round(kpis.averageReceiptMinor))),
    ],
    ['repeat rate', percent(kpis.repeatRate)],
    ['points earned', count(kpis.pointsEarned)],
    ['points spent', count(kpis.pointsSpent)],
    ['redemption rate', percent(kpis.redemptionRate)],
    ['points outstanding', count(kpis.pointsOutstanding)],
    ['cards on phones', count(kpis.cardsInstalled)],
  ])
}
