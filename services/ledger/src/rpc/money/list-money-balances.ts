import { checkInt, checkText } from '@stampede/platform'
import type { ListMoneyBalancesRequest, ListMoneyBalancesResponse } from '@stampede/proto/money/v1'
import type { LedgerContext } from '../../context.ts'
import type { MoneyAccount } from '../../domain/money.ts'
import { readMoneyBalances } from '../../store/money.ts'
import { brandOf, checkOneOf } from '../checks.ts'

const PAGE_SIZE_MAX = 1_000
const PAGE_SIZE_DEFAULT = 100
const PARTY_CHARACTERS_MAX = 128
const accounts: readonly MoneyAccount[] = [
  'shelf',
  'discount',
  'tender',
  'giftcard',
  'revenue',
  'deferred',
  'cost',
  'payable',
  'settle',
  'bank',
]

/** What has come together on an account of the money books. */
export async function listMoneyBalances(
  context: LedgerContext,
  request: ListMoneyBalancesRequest,
): Promise<ListMoneyBalancesResponse> {
  const { brand } = brandOf(context, request.brand)
  checkOneOf(request.account, 'account', accounts)
  const account = request.account as MoneyAccount
  const prefix = checkText(request.prefix, 'prefix', { max: PARTY_CHARACTERS_MAX })
  const after = checkText(request.pageToken, 'page_token', { max: PARTY_CHARACTERS_MAX })
  const asked = checkInt(request.pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  const limit = asked === 0 ? PAGE_SIZE_DEFAULT : asked
  const found = await readMoneyBalances(context.database, brand, { account, prefix, after, limit: limit + 1 })
  const balances = found.slice(0, limit)
  return { balances: [...balances], nextPageToken: found.length > limit ? (balances.at(-1)?.party ?? '') : '' }
}
