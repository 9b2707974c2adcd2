import { createHash, randomBytes } from 'node:crypto'
import {
  checkBrand,
  checkIdempotencyKey,
  checkText,
  hashApiKey,
  invalidArgument,
  uuidv7,
  writeOutbox,
} from '@stampede/platform'
import type { CreateApiKeyRequest, CreateApiKeyResponse } from '@stampede/proto/enrollment/v1'
import { accessBrand } from '../brand-access.ts'
import type { Context } from '../context.ts'
import { accessGranted } from '../events.ts'
import { insertApiKey } from '../store/api-keys.ts'
import { claimRequest } from '../store/requests.ts'

const SECRET_BYTES = 32
const LABEL_MAX = 80
const roles: ReadonlySet<string> = new Set(['till', 'support', 'marketer', 'brand_admin'])

/** Makes an API key of one brand. A repeat answers with its id alone: the secret was never stored. */
export async function createApiKey(context: Context, request: CreateApiKeyRequest): Promise<CreateApiKeyResponse> {
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const label = checkText(request.label, 'label', { min: 1, max: LABEL_MAX })
  const { role } = request
  if (!roles.has(role)) throw invalidArgument('role', `must be one of ${[...roles].join(', ')}`)
  await accessBrand(context, brand)

  const secret = `sk_${randomBytes(SECRET_BYTES).toString('base64url')}`
  const now = context.clock.now()
  const keyId = uuidv7(now.getTime())
  const bodyHash = createHash('sha256')
    .update(JSON.stringify([role, label]))
    .digest()
  const answer = await context.database.transaction(async (tx) => {
    const request = {
      scope: brand,
      operation: 'create-api-key',
      idempotencyKey,
      bodyHash,
      resultId: keyId,
      createdAt: now,
    }
    const claim = await claimRequest(tx, request)
    if (!claim.fresh) return { keyId: claim.resultId, secret: '' }
    const row = { keyId, brand, role, label, sha256: hashApiKey(secret) }
    await insertApiKey(tx, row, now)
    await writeOutbox(tx, [accessGranted(row)])
    return { keyId, secret }
  })
  context.wakeRelay()
  return answer
}
