import type { ClickHouse } from '@stampede/platform'
import { selectRow, selectRows } from './clickhouse.ts'

/** Seconds that the series of a report cover at most, from the first accepted push. */
export const reportSecondsMax = 21_600

/** Totals of a campaign's pushes; 64-bit integers as text. */
export interface PushTotals {
  /** Whether the campaign has been heard of. */
  readonly known: string
  readonly recipients: string
  readonly accepted: string
  readonly duplicates: string
  readonly fetched: string
  readonly fetchedWithin60s: string
}

/** A count at a second or of a reason. */
interface SecondRow {
  readonly second: number
  readonly count: number
}

interface ReasonRow {
  readonly reason: string
  readonly recipients: string
}

const outcomes = 'stampede.push_outcomes WHERE brand = {brand:String} AND campaign_id = {campaignId:String}'
const fetches = 'stampede.fetches WHERE brand = {brand:String} AND campaign_id = {campaignId:String}'

/** First accepted push of each pass. */
const firstPushes = `SELECT pass_no, min(at) AS pushed_at FROM ${outcomes} AND outcome = 'accepted' GROUP BY pass_no`
/** First fetch of each pass that showed the campaign. */
const firstFetches = `SELECT pass_no, min(fetched_at) AS first_fetch FROM ${fetches} GROUP BY pass_no`

/**
 * Totals of a campaign. A recipient is a device of a pass, and counts once however many chunks were repeated; the same
 * outcome at the same instant is one push that was reported twice, another instant is another push: a duplicate.
 */
export function pushTotals(client: ClickHouse, brand: string, campaignId: string): Promise<PushTotals> {
  return selectRow<PushTotals>(
    client,
    `SELECT
       (SELECT toString(count()) FROM stampede.campaigns WHERE brand = {brand:String} AND campaign_id = {campaignId:String}) AS known,
       (SELECT toString(uniqExact(pass_no, device_library_id)) FROM ${outcomes}) AS recipients,
       (SELECT toString(uniqExact(pass_no, device_library_id)) FROM ${outcomes} AND outcome = 'accepted') AS accepted,
       (SELECT toString(uniqExact(pass_no, device_library_id, at) - uniqExact(pass_no, device_library_id)) FROM ${outcomes} AND outcome = 'accepted') AS duplicates,
       (SELECT toString(uniqExact(pass_no)) FROM ${fetches}) AS fetched,
       (SELECT toString(count()) FROM (${firstPushes}) AS pushed INNER JOIN (${firstFetches}) AS fetched USING pass_no
          WHERE fetched.first_fetch <= pushed.pushed_at + toIntervalSecond(60)) AS fetchedWithin60s`,
    { brand, campaignId },
  )
}

/** Recipients that no push reached, by the last reason; without one, by what happened. */
export function failureReasons(client: ClickHouse, brand: string, campaignId: string): Promise<readonly ReasonRow[]> {
  return selectRows<ReasonRow>(
    client,
    `SELECT reason, toString(count()) AS recipients FROM (
       SELECT argMax(if(reason = '', outcome, reason), at) AS reason FROM ${outcomes}
       GROUP BY pass_no, device_library_id HAVING countIf(outcome = 'accepted') = 0
     ) GROUP BY reason ORDER BY count() DESC, reason`,
    { brand, campaignId },
  )
}

/** Accepted pushes (a recipient's first one) and fetches (a pass's first one) per second since the first accepted push. */
export async function perSecond(
  client: ClickHouse,
  brand: string,
  campaignId: string,
): Promise<{ readonly accepted: readonly bigint[]; readonly fetched: readonly bigint[] }> {
  const parameters = { brand, campaignId, secondsMax: reportSecondsMax }
  const start = `(SELECT min(at) FROM ${outcomes} AND outcome = 'accepted')`
  const countBySecond = (instant: string, from: string) =>
    `SELECT toUInt32(greatest(dateDiff('millisecond', ${start}, ${instant}), 0) / 1000) AS second, toUInt32(count()) AS count
     FROM (${from}) GROUP BY second HAVING second < {secondsMax:UInt32} ORDER BY second`
  const accepted = await selectRows<SecondRow>(
    client,
    countBySecond(
      'pushed_at',
      `SELECT min(at) AS pushed_at FROM ${outcomes} AND outcome = 'accepted' GROUP BY pass_no, device_library_id`,
    ),
    parameters,
  )
  // Without a push there is no second to count from.
  if (accepted.length === 0) return { accepted: [], fetched: [] }
  const fetched = await selectRows<SecondRow>(client, countBySecond('first_fetch', firstFetches), parameters)
  return { accepted: dense(accepted), fetched: dense(fetched) }
}

function dense(rows: readonly SecondRow[]): readonly bigint[] {
  const last = rows.at(-1)?.second ?? -1
  const series = Array.from({ length: last + 1 }, () => 0n)
  for (const { second, count } of rows) series[second] = BigInt(count)
  return series
}
