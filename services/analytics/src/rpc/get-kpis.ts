import type { GetKpisRequest, GetKpisResponse } from '@stampede/proto/analytics/v1'
import { type AnalyticsContext, brandOf } from '../context.ts'
import { ratio } from '../domain/ratio.ts'
import { kpiSums } from '../store/reports.ts'

/** Handler of GetKpis. A ratio whose base is zero is absent. */
export function getKpis(context: AnalyticsContext) {
  return async ({ brand }: GetKpisRequest): Promise<GetKpisResponse> => {
    const { timeZone, currency } = brandOf(context, brand)
    const sums = await kpiSums(context.reads, brand, timeZone)
    const [buyers, sales, salesMinor] = [BigInt(sums.buyers), BigInt(sums.sales), BigInt(sums.salesMinor)]
    const [returnedMinor, earned, spent] = [
      BigInt(sums.returnedMinor),
      BigInt(sums.pointsEarned),
      BigInt(sums.pointsSpent),
    ]
    const response: GetKpisResponse = {
      members: BigInt(sums.members),
      buyers,
      receipts: sales,
      returns: BigInt(sums.returns),
      revenueMinor: salesMinor - returnedMinor,
      returnedMinor: returnedMinor,
      pointsEarned: earned,
      pointsSpent: spent,
      pointsOutstanding: BigInt(sums.pointsOutstanding),
      repeatRate: ratio(BigInt(sums.repeatBuyers), buyers),
      redemptionRate: ratio(spent, earned),
      averageReceiptMinor: ratio(salesMinor, sales),
      cardsInstalled: BigInt(sums.cardsInstalled),
      currency,
    }
    return response
  }
}
