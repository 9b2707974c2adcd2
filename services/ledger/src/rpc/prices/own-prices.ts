import { checkText, failedPrecondition, invalidArgument, type Sql } from '@stampede/platform'
import type { LedgerContext } from '../../context.ts'
import type { PriceSetRules } from '../../domain/discounts/member-prices.ts'
import { programmeAt } from '../../domain/programme.ts'
import { noProgramme } from '../../refusals.ts'
import { SKU_CHARACTERS_MAX } from '../checks.ts'

/** What the brand's programme says about prices of members' own now. */
export async function priceRulesNow(
  { programmes }: Pick<LedgerContext, 'programmes'>,
  sql: Sql,
  brand: string,
  nowMs: number,
): Promise<PriceSetRules> {
  const programme = programmeAt((await programmes.of(sql, [brand])).get(brand) ?? [], nowMs)
  if (programme === undefined) throw noProgramme()
  if (programme.priceSets === undefined) throw failedPrecondition('the programme has no prices of members’ own')
  return programme.priceSets
}

/** Checks a SKU of a price; `field` is where it was named. */
export function checkSku(sku: string, field: string): string {
  return checkText(sku, field, { min: 1, max: SKU_CHARACTERS_MAX })
}

/** Refuses a SKU that never has such a price. */
export function refuseExcluded({ excluded }: PriceSetRules, sku: string, field: string): void {
  if (excluded.skus.has(sku)) throw invalidArgument(field, 'is excluded by the programme')
}
