import { checkBrand, checkInt } from '@stampede/platform'
import type { FindNearestRequest, FindNearestResponse } from '@stampede/proto/geo/v1'
import type { Context } from '../context.ts'
import { checkPoint } from '../domain/check-store.ts'

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 100

/** The stores nearest to a point, nearest first. */
export async function findNearest(context: Context, request: FindNearestRequest): Promise<FindNearestResponse> {
  const brand = checkBrand(request.brand)
  const point = checkPoint(request)
  const limit = request.limit === 0 ? LIMIT_DEFAULT : checkInt(request.limit, 'limit', { min: 1, max: LIMIT_MAX })
  const { index } = await context.stores.get(context.database, brand)
  return { stores: [...index.nearest(point, limit)] }
}
