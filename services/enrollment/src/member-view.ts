import type { KeyObject } from 'node:crypto'
import type { Member } from '@stampede/proto/enrollment/v1'
import type { Context } from './context.ts'
import { openPersonal, unwrapMemberKey } from './domain/vault.ts'
import { findMembers, type MemberRow } from './store/members.ts'

/** A stored member as callers see it: personal values opened, empty after erasure. */
export function openMember(masterKey: KeyObject, brand: string, row: MemberRow): Member {
  const { memberId } = row
  const key = row.wrappedKey === null ? undefined : unwrapMemberKey(masterKey, brand, memberId, row.wrappedKey)
  return {
    memberId,
    brand,
    ...openPersonal(key, brand, memberId, row.personal),
    cardNumber: row.cardNumber,
    status: row.status,
    locale: row.locale,
    marketingConsent: row.marketingConsent,
    storeId: row.storeId,
    enrolledAt: row.enrolledAt,
  }
}

/** Reads and opens members by id; unknown ones are left out. */
export async function readMembers(
  context: Context,
  brand: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Member>> {
  if (ids.length === 0) return new Map()
  const rows = await findMembers(context.database, brand, ids)
  return new Map(rows.map((row) => [row.memberId, openMember(context.masterKey, brand, row)]))
}
