import type { Handlers } from '@stampede/platform'
import type { PriceSetServiceService } from '@stampede/proto/prices/v1'
import type { LedgerContext } from '../../context.ts'
import { chooseFavourite } from './choose-favourite.ts'
import { grantPriceSet } from './grant-price-set.ts'
import { listMemberPrices } from './list-member-prices.ts'

/** All methods about prices of members' own over one context. */
export function priceSetHandlers(context: LedgerContext): Handlers<typeof PriceSetServiceService> {
  return {
    grantPriceSet: (request) => grantPriceSet(context, request),
    chooseFavourite: (request) => chooseFavourite(context, request),
    listMemberPrices: (request) => listMemberPrices(context, request),
  }
}
