import { checkBrand, notFound } from '@stampede/platform'
import type { GetBrandRequest, GetBrandResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { findBrand } from '../store/brands.ts'

/** Reads a brand. */
export async function getBrand(context: Context, request: GetBrandRequest): Promise<GetBrandResponse> {
  const row = await findBrand(context.database, checkBrand(request.brand))
  if (row === undefined) throw notFound()
  return { brand: row.brand }
}
