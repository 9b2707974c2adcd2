import { notFound } from '@stampede/platform'
import type { GetCardRequest, GetCardResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { findOwnerByNumber } from '../store/own-cards.ts'
import { findPassByOwner } from '../store/passes.ts'
import { checkCardNumber } from '../upsert-cards.ts'
import { installFields } from './install-fields.ts'
import { passMessage } from './pass-message.ts'
import { knownBrand } from './upsert-pass.ts'

/** A card by its number: link, QR and where it is installed. */
export async function getCard(context: Context, request: GetCardRequest): Promise<GetCardResponse> {
  const brand = knownBrand(context, request.brand)
  const ownerId = await findOwnerByNumber(context.database, brand.brand, checkCardNumber(request.cardNumber))
  const record = ownerId === undefined ? undefined : await findPassByOwner(context.database, brand.brand, ownerId)
  if (record === undefined) throw notFound()
  const { values, ...details } = record.state.details
  return {
    pass: await passMessage(context, brand, record),
    ...installFields(context, record),
    details: { ...details, values: Object.fromEntries(values), points: record.state.account.available },
  }
}
