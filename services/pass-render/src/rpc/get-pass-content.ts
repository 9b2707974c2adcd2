import { checkBrand, checkUuid, notFound } from '@stampede/platform'
import type { GetPassContentRequest, GetPassContentResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { googleObjectJson } from '../domain/google/index.ts'
import { findPassByOwner } from '../store/passes.ts'

/** What the member's phones would show now. */
export async function getPassContent(
  context: Context,
  request: GetPassContentRequest,
): Promise<GetPassContentResponse> {
  const brand = checkBrand(request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const record = await findPassByOwner(context.database, brand, memberId)
  if (record === undefined || context.brands.get(brand) === undefined) throw notFound()
  const content = await context.renderer.content(record)
  const hasGoogle = content.brand.googleIssuerId !== ''
  return {
    passJson: JSON.stringify({ ...content.pass, webServiceURL: context.webUrl(brand) }),
    googleObjectJson: hasGoogle ? googleObjectJson(content.brand, { design: content.ready.design, ...record }) : '',
    lockScreenText: content.message,
  }
}
