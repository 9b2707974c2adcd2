import type { GetBrandStatusRequest, GetBrandStatusResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { knownBrand } from './upsert-pass.ts'

/** What keeps a brand's cards from being signed or saved. */
export async function getBrandStatus(
  context: Context,
  request: GetBrandStatusRequest,
): Promise<GetBrandStatusResponse> {
  const brand = knownBrand(context, request.brand)
  const apple = await context.signers.state(brand)
  const hasAccount = context.credentials.google(brand.brand) !== undefined
  return {
    appleCertificate: apple.state,
    appleReason: apple.reason,
    appleNotAfter: apple.notAfter,
    nfc: apple.nfc,
    googleAccount: brand.googleIssuerId === '' ? 'none' : hasAccount ? 'ok' : 'missing',
  }
}
