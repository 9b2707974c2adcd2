import { checkBrand, checkUuid, notFound } from '@stampede/platform'
import type { GetPassRequest, GetPassResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { findPassByOwner } from '../store/passes.ts'
import { passMessage } from './pass-message.ts'

/** A member's pass: where to install it and where it is installed. */
export async function getPass(context: Context, request: GetPassRequest): Promise<GetPassResponse> {
  const slug = checkBrand(request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const brand = context.brands.get(slug)
  const record = await findPassByOwner(context.database, slug, memberId)
  if (brand === undefined || record === undefined) throw notFound()
  return { pass: await passMessage(context, brand, record) }
}
