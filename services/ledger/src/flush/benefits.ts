import type { Sql } from '@stampede/platform'
import type { Programme } from '../domain/programme.ts'
import { type Term, tagsAt } from '../domain/subscriptions/subscription.ts'
import { brandIdText } from '../store/keys.ts'
import { readBenefits } from '../store/subscriptions/terms.ts'
import type { Item } from './item.ts'

/** Terms that give members benefits, by `brand/member`. */
export type Benefits = ReadonlyMap<string, readonly Term[]>

/** Whether any version of a programme asks for tags: otherwise nobody needs to know who is subscribed. */
export function asksForTags(versions: readonly Programme[]): boolean {
  return versions.some(({ discountRules, earnRules }) => {
    return discountRules.some(({ tags }) => tags.size > 0) || earnRules.some(({ tags }) => tags !== undefined)
  })
}

/** Reads the benefits of the members of sales. */
export async function loadBenefits(
  tx: Sql,
  items: readonly Item[],
  programmes: ReadonlyMap<string, readonly Programme[]>,
): Promise<Benefits> {
  const sales = items.flatMap(({ brand, memberId, request }) =>
    request.kind === 'sale' && asksForTags(programmes.get(brand) ?? [])
      ? [{ brand, memberId, atMs: request.occurredAtMs }]
      : [],
  )
  if (sales.length === 0) return new Map()
  return readBenefits(tx, sales, new Date(Math.min(...sales.map(({ atMs }) => atMs))))
}

/** Tags of a receipt: those that the caller vouches for and those of the member's subscriptions at its time. */
export function carriedTags(
  benefits: Benefits,
  { brand, memberId }: Pick<Item, 'brand' | 'memberId'>,
  { tags, occurredAtMs }: { readonly tags: readonly string[]; readonly occurredAtMs: number },
): readonly string[] {
  const terms = benefits.get(brandIdText(brand, memberId)) ?? []
  return [...new Set([...tags, ...tagsAt(terms, occurredAtMs)])]
}
