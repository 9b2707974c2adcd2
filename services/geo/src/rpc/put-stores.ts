import { createHash } from 'node:crypto'
import { checkBrand, checkIdempotencyKey, checkList, expectBrand } from '@stampede/platform'
import { PutStoresRequest, type PutStoresResponse } from '@stampede/proto/geo/v1'
import type { Context } from '../context.ts'
import { checkStores } from '../domain/check-store.ts'
import { claimRequest } from '../store/requests.ts'
import { raiseRevision } from '../store/revisions.ts'
import { putStores as store } from '../store/stores.ts'

const STORES_MAX = 1_000
const REQUEST_KEPT_MS = 400 * 86_400_000

/** Creates or replaces stores, all or none; members' places follow in the background. */
export async function putStores(context: Context, request: PutStoresRequest): Promise<PutStoresResponse> {
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const stores = checkStores(checkList(request.stores, 'stores', { min: 1, max: STORES_MAX }))
  await expectBrand(context.brands, brand)

  const body = PutStoresRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const bodyHash = createHash('sha256').update(body).digest()
  const now = context.clock.now()
  const keepAfter = new Date(now.getTime() - REQUEST_KEPT_MS)
  await context.database.transaction(async (tx) => {
    // A repeat must not undo what came after the first time.
    if (!(await claimRequest(tx, { brand, idempotencyKey, bodyHash }, now, keepAfter))) return
    if ((await store(tx, brand, stores)) > 0) await raiseRevision(tx, brand)
  })
  context.wakeFollower()
  return { stored: stores.length }
}
