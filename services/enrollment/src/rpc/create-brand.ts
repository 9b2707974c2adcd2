import { createHash, randomBytes } from 'node:crypto'
import { checkIdempotencyKey, checkPresent, StampedeError, writeOutbox } from '@stampede/platform'
import type { CreateBrandRequest, CreateBrandResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { brandContent, checkNewBrand } from '../domain/brand.ts'
import { wrapBrandSecret } from '../domain/vault.ts'
import { brandChanged } from '../events.ts'
import { findBrand, insertBrand } from '../store/brands.ts'
import { claimRequest } from '../store/requests.ts'

const SECRET_BYTES = 32

/** Creates a brand; the same brand again, under the same key or another, answers with the stored one. */
export async function createBrand(context: Context, request: CreateBrandRequest): Promise<CreateBrandResponse> {
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkNewBrand(checkPresent(request.brand, 'brand'))
  const content = brandContent(brand)
  const bodyHash = createHash('sha256').update(content).digest()
  const wrappedSecret = wrapBrandSecret(context.masterKey, brand.brand, randomBytes(SECRET_BYTES))
  const now = context.clock.now()

  await context.database.transaction(async (tx) => {
    // Not scoped by brand: a key that was used for another brand is a conflict too.
    const row = {
      scope: '',
      operation: 'create-brand',
      idempotencyKey,
      bodyHash,
      resultId: brand.brand,
      createdAt: now,
    }
    const claim = await claimRequest(tx, row)
    if (!claim.fresh) return
    if (await insertBrand(tx, { brand, wrappedSecret, cardPrefix: context.cardPrefix }, now)) {
      await writeOutbox(tx, [brandChanged(brand)])
      return
    }
    const stored = await findBrand(tx, brand.brand)
    if (stored === undefined)
      throw new StampedeError('ALREADY_EXISTS', 'another brand has this pass type id', { field: 'brand.pass_type_id' })
    if (!content.equals(brandContent(stored.brand)))
      throw new StampedeError('ALREADY_EXISTS', 'a brand with this slug and other content exists', {
        field: 'brand.brand',
      })
  })
  context.wakeRelay()
  return { brand }
}
