import type { ClickHouse } from '@stampede/platform'
import { selectRow, selectRows } from './clickhouse.ts'

/** Sums behind the KPIs of a brand; 64-bit integers as text. */
export interface KpiSums {
  readonly members: string
  readonly buyers: string
  readonly repeatBuyers: string
  readonly sales: string
  readonly salesMinor: string
  readonly returns: string
  readonly returnedMinor: string
  readonly pointsEarned: string
  readonly pointsSpent: string
  readonly pointsOutstanding: string
  readonly cardsInstalled: string
}

/** One local day. */
export interface DayRow {
  /** YYYY-MM-DD. */
  readonly date: string
  readonly receipts: string
  readonly revenueMinor: string
  readonly buyers: string
}

/** How much of a brand has been taken in; 64-bit integers as text. */
export interface IngestCounts {
  readonly sales: string
  readonly returns: string
  readonly passes: string
  readonly pushResults: string
  readonly fetches: string
}

/** Sums behind the KPIs; a purchase day is what it is in a snapshot. */
export async function kpiSums(client: ClickHouse, brand: string, timeZone: string): Promise<KpiSums> {
  const parameters = { brand, timeZone }
  const activity = await selectRow<Omit<KpiSums, 'members' | 'pointsOutstanding' | 'cardsInstalled'>>(
    client,
    `SELECT toString(sum(sales)) AS sales, toString(sum(sales_minor)) AS salesMinor, toString(sum(returns)) AS returns,
       toString(sum(returned_minor)) AS returnedMinor, toString(sum(points_earned)) AS pointsEarned, toString(sum(points_spent)) AS pointsSpent,
       toString(countIf(days > 0)) AS buyers, toString(countIf(days > 1)) AS repeatBuyers
     FROM (
       SELECT member_id, sum(day_sales) AS sales, sum(day_sold) AS sales_minor, sum(day_returns) AS returns, sum(day_returned) AS returned_minor,
         sum(day_earned) AS points_earned, sum(day_spent) AS points_spent, countIf(day_sold > 0 AND day_sold > day_returned AND member_id != '') AS days
       FROM (
         SELECT member_id, toDate(at, {timeZone:String}) AS day, sum(sales) AS day_sales, sum(sales_minor) AS day_sold, sum(returns) AS day_returns,
           sum(returned_minor) AS day_returned, sum(points_earned) AS day_earned, sum(points_spent) AS day_spent
         FROM stampede.member_activity WHERE brand = {brand:String} GROUP BY member_id, day
       )
       GROUP BY member_id
     )`,
    parameters,
  )
  const state = await selectRow<Pick<KpiSums, 'members' | 'pointsOutstanding' | 'cardsInstalled'>>(
    client,
    `SELECT
       (SELECT toString(count()) FROM stampede.members FINAL WHERE brand = {brand:String} AND status != 'erased') AS members,
       (SELECT toString(sum(available + pending + held)) FROM stampede.accounts FINAL WHERE brand = {brand:String}) AS pointsOutstanding,
       (SELECT toString(count()) FROM stampede.passes FINAL WHERE brand = {brand:String} AND devices > 0) AS cardsInstalled`,
    { brand },
  )
  return { ...activity, ...state }
}

/** The last days up to that of the newest receipt, days without one left out; oldest first. */
export function dailyRows(
  client: ClickHouse,
  brand: string,
  timeZone: string,
  days: number,
): Promise<readonly DayRow[]> {
  return selectRows<DayRow>(
    client,
    `WITH (SELECT toDate(max(at), {timeZone:String}) FROM stampede.member_activity WHERE brand = {brand:String}) AS newest
     SELECT toString(toDate(at, {timeZone:String})) AS date, toString(sum(sales)) AS receipts,
       toString(sum(sales_minor) - sum(returned_minor)) AS revenueMinor, toString(uniqExactIf(member_id, sales > 0 AND member_id != '')) AS buyers
     FROM stampede.member_activity
     WHERE brand = {brand:String} AND toDate(at, {timeZone:String}) > newest - {days:UInt32}
     GROUP BY date ORDER BY date`,
    { brand, timeZone, days },
  )
}

/** How much of the brand has been taken in. */
export function ingestCounts(client: ClickHouse, brand: string): Promise<IngestCounts> {
  return selectRow<IngestCounts>(
    client,
    `SELECT
       (SELECT toString(countIf(kind = 'sale')) FROM stampede.receipts WHERE brand = {brand:String}) AS sales,
       (SELECT toString(countIf(kind = 'return')) FROM stampede.receipts WHERE brand = {brand:String}) AS returns,
       (SELECT toString(count()) FROM stampede.passes FINAL WHERE brand = {brand:String}) AS passes,
       (SELECT toString(count()) FROM stampede.push_outcomes WHERE brand = {brand:String}) AS pushResults,
       (SELECT toString(count()) FROM stampede.fetches WHERE brand = {brand:String}) AS fetches`,
    { brand },
  )
}
