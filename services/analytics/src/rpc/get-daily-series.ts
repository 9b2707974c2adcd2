import { checkInt } from '@stampede/platform'
import type { GetDailySeriesRequest, GetDailySeriesResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf } from '../context.ts'
import { daysBetween } from '../domain/days.ts'
import { dailyRows } from '../store/reports.ts'

const defaultDays = 400
const daysMax = 1_100

/** Handler of GetDailySeries: from the first to the newest day with a receipt, days without one as zeros. */
export function getDailySeries(context: AnalyticsContext) {
  return async (request: GetDailySeriesRequest): Promise<GetDailySeriesResponse> => {
    const { timeZone } = brandOf(context, request.brand)
    const days = request.days === 0 ? defaultDays : checkInt(request.days, 'days', { min: 1, max: daysMax })
    const rows = await dailyRows(context.reads, request.brand, timeZone, days)
    const [first, last] = [rows[0], rows.at(-1)]
    if (!first || !last) return { days: [] }
    const byDate = new Map(rows.map((row) => [row.date, row]))
    return {
      days: daysBetween(first.date, last.date).map((date) => {
        const row = byDate.get(date)
        return {
          date,
          receipts: BigInt(row?.receipts ?? 0),
          revenueMinor: BigInt(row?.revenueMinor ?? 0),
          buyers: BigInt(row?.buyers ?? 0),
        }
      }),
    }
  }
}
