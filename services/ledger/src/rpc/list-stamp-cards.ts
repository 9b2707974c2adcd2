import { checkUuid } from '@stampede/platform'
import type { ListStampCardsRequest, ListStampCardsResponse } from '@stampede/proto/stamps/v1'
import { toBalance } from '../answers.ts'
import type { LedgerContext } from '../context.ts'
import { programmeAt } from '../domain/programme.ts'
import { stampCurrency } from '../domain/stamps/card.ts'
import { readAccountView } from '../store/account-view.ts'
import { brandOf } from './checks.ts'

/** A member's stamp cards now; empty ones for a member nobody has stamped a card for. */
export async function listStampCards(
  { brands, database, programmes, clock }: LedgerContext,
  request: ListStampCardsRequest,
): Promise<ListStampCardsResponse> {
  const { brand } = brandOf({ brands }, request.brand)
  const memberId = checkUuid(request.memberId, 'member_id')
  const nowMs = clock.nowMs()
  const programme = programmeAt((await programmes.of(database, [brand])).get(brand) ?? [], nowMs)
  const stampCards = await Promise.all(
    (programme?.stampCards ?? []).map(async ({ cardId, target }) => {
      const { account } = await readAccountView(database, { brand, memberId, currency: stampCurrency(cardId) }, nowMs)
      const { available: stamps, debt: owed, expiries } = toBalance(account)
      return { cardId, target, stamps, owed, expiries }
    }),
  )
  return { stampCards }
}
