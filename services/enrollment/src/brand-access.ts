import type { KeyObject } from 'node:crypto'
import { notFound } from '@stampede/platform'
import type { Brand } from '@stampede/proto/enrollment/v1'
import type { Context } from './context.ts'
import { type CardNumbers, createCardNumbers } from './domain/card-number.ts'
import { type BrandKeys, deriveBrandKeys } from './domain/keys.ts'
import { unwrapBrandSecret } from './domain/vault.ts'
import { type BrandRow, findBrand } from './store/brands.ts'

/** Opened brands kept in memory at most. */
const BRANDS_MAX = 10_000

/** A brand with its keys. */
export interface BrandAccess {
  readonly brand: Brand
  readonly keys: BrandKeys
  readonly cards: CardNumbers
}

/** Opens a brand's keys. Throws SealError if the master key is not the one that it was created under. */
export function openBrand(masterKey: KeyObject, row: BrandRow): BrandAccess {
  const keys = deriveBrandKeys(unwrapBrandSecret(masterKey, row.brand.brand, row.wrappedSecret))
  return { brand: row.brand, keys, cards: createCardNumbers(keys.card, row.cardPrefix) }
}

/** A brand with its keys, from memory where possible (what is used of it, slug and keys, never changes). Throws NOT_FOUND. */
export async function accessBrand(context: Context, brand: string): Promise<BrandAccess> {
  const known = context.brands.get(brand)
  if (known !== undefined) return known
  const row = await findBrand(context.database, brand)
  if (row === undefined) throw notFound()
  const opened = openBrand(context.masterKey, row)
  if (context.brands.size >= BRANDS_MAX) context.brands.clear()
  context.brands.set(brand, opened)
  return opened
}
