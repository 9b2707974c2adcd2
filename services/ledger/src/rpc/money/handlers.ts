import type { Handlers } from '@stampede/platform'
import type { MoneyServiceService } from '@stampede/proto/money/v1'
import type { LedgerContext } from '../../context.ts'
import { closeSettlement } from './close-settlement.ts'
import { listMoneyBalances } from './list-money-balances.ts'
import { recordPayout } from './record-payout.ts'

/** All methods about the brand's own money books over one context. */
export function moneyHandlers(context: LedgerContext): Handlers<typeof MoneyServiceService> {
  return {
    listMoneyBalances: (request) => listMoneyBalances(context, request),
    closeSettlement: (request) => closeSettlement(context, request),
    recordPayout: (request) => recordPayout(context, request),
  }
}
