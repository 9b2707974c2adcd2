import { checkBrand, checkUuid, notFound, writeOutbox } from '@stampede/platform'
import type { RevokeApiKeyRequest, RevokeApiKeyResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { accessRevoked } from '../events.ts'
import { revokeApiKey as markRevoked } from '../store/api-keys.ts'

/** Revokes an API key; doing it again changes nothing. */
export async function revokeApiKey(context: Context, request: RevokeApiKeyRequest): Promise<RevokeApiKeyResponse> {
  const brand = checkBrand(request.brand)
  const keyId = checkUuid(request.keyId, 'key_id')
  await context.database.transaction(async (tx) => {
    const sha256 = await markRevoked(tx, brand, keyId, context.clock.now())
    if (sha256 === undefined) throw notFound()
    await writeOutbox(tx, [accessRevoked(keyId, sha256)])
  })
  context.wakeRelay()
  return {}
}
