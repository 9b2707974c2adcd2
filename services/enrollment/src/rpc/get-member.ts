import { checkBrand, checkText, checkUuid, invalidArgument, notFound } from '@stampede/platform'
import type { GetMemberRequest, GetMemberResponse } from '@stampede/proto/enrollment/v1'
import { accessBrand, type BrandAccess } from '../brand-access.ts'
import type { Context } from '../context.ts'
import { isCardNumber } from '../domain/card-number.ts'
import { indexValue } from '../domain/keys.ts'
import { REFERENCE_MAX } from '../domain/new-member.ts'
import { readMembers } from '../member-view.ts'
import { findMemberIdByCard, findMemberIdByIndex } from '../store/members.ts'

/** Finds a member by exactly one of id, card number and reference. */
export async function getMember(context: Context, request: GetMemberRequest): Promise<GetMemberResponse> {
  const slug = checkBrand(request.brand)
  const given = [request.memberId, request.cardNumber, request.reference].filter((value) => value !== '')
  if (given.length !== 1)
    throw invalidArgument('member_id', 'exactly one of member_id, card_number and reference is needed')
  const brand = await accessBrand(context, slug)
  const memberId = await resolveId(context, brand, request)
  const members = await readMembers(context, slug, memberId === undefined ? [] : [memberId])
  const [member] = members.values()
  if (member === undefined) throw notFound()
  return { member }
}

async function resolveId(
  { database }: Context,
  { brand: { brand }, keys }: BrandAccess,
  { memberId, cardNumber, reference }: GetMemberRequest,
): Promise<string | undefined> {
  if (memberId !== '') return checkUuid(memberId, 'member_id')
  if (cardNumber === '') {
    checkText(reference, 'reference', { max: REFERENCE_MAX })
    return findMemberIdByIndex(database, brand, 'reference', indexValue(keys, 'reference', reference))
  }
  if (!isCardNumber(cardNumber)) throw invalidArgument('card_number', 'must be 16 digits with a right check digit')
  return findMemberIdByCard(database, brand, cardNumber)
}
