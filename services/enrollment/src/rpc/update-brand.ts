import { createHash } from 'node:crypto'
import { checkIdempotencyKey, checkPresent, notFound, writeOutbox } from '@stampede/platform'
import type { UpdateBrandRequest, UpdateBrandResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { brandContent, checkBrandChange, checkNewBrand } from '../domain/brand.ts'
import { brandChanged } from '../events.ts'
import { changeBrand, lockBrand } from '../store/brands.ts'
import { claimRequest } from '../store/requests.ts'

/** Changes a brand; a repeated request answers with what is stored now. */
export async function updateBrand(context: Context, request: UpdateBrandRequest): Promise<UpdateBrandResponse> {
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkNewBrand(checkPresent(request.brand, 'brand'))
  const bodyHash = createHash('sha256').update(brandContent(brand)).digest()
  const stored = await context.database.transaction(async (tx) => {
    const row = await lockBrand(tx, brand.brand)
    if (row === undefined) throw notFound()
    const claim = await claimRequest(tx, {
      scope: brand.brand,
      operation: 'update-brand',
      idempotencyKey,
      bodyHash,
      resultId: brand.brand,
      createdAt: context.clock.now(),
    })
    if (!claim.fresh) return row.brand
    checkBrandChange(row.brand, brand)
    await changeBrand(tx, brand)
    await writeOutbox(tx, [brandChanged(brand)])
    return brand
  })
  context.wakeRelay()
  return { brand: stored }
}
