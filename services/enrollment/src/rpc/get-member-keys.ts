import { checkBrand, checkList, checkUuid } from '@stampede/platform'
import type { GetMemberKeysRequest, GetMemberKeysResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { unwrapMemberKey } from '../domain/vault.ts'
import { findMemberKeys } from '../store/members.ts'

const IDS_MAX = 1_000

/** Hands out members' keys, all versions of each; members that are unknown or erased are left out. */
export async function getMemberKeys(context: Context, request: GetMemberKeysRequest): Promise<GetMemberKeysResponse> {
  const brand = checkBrand(request.brand)
  const ids = checkList(request.memberIds, 'member_ids', { min: 1, max: IDS_MAX })
  const checked = ids.map((id, index) => checkUuid(id, `member_ids[${index}]`))
  const rows = await findMemberKeys(context.database, brand, checked)
  return {
    keys: rows.map(({ memberId, keyVersion, wrapped }) => ({
      memberId,
      keyVersion,
      key: unwrapMemberKey(context.masterKey, brand, memberId, wrapped),
    })),
  }
}
