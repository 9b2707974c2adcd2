import { checkBrand } from '@stampede/platform'
import type { GetBrandRequest, GetBrandResponse } from '@stampede/proto/enrollment/v1'
import { accessBrand } from '../brand-access.ts'
import type { Context } from '../context.ts'

/** Reads a brand. */
export async function getBrand(context: Context, request: GetBrandRequest): Promise<GetBrandResponse> {
  const { brand } = await accessBrand(context, checkBrand(request.brand))
  return { brand }
}
