import { type BrandDirectory, type Delivery, decodeEvents, newestPerAggregate, unavailable } from '@stampede/platform'
import type { Event } from '@stampede/proto/events/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'

/** Events of one brand, the newest per aggregate. */
export interface BrandEvents {
  readonly brand: BrandView
  readonly events: readonly Event[]
}

/** Splits a batch by brand; UNAVAILABLE while a brand has not reached this replica yet, so that the batch comes again. */
export function eventsByBrand(context: Context, batch: readonly Delivery[]): readonly BrandEvents[] {
  const groups = Map.groupBy(newestPerAggregate(decodeEvents(batch)), (event) => event.brand)
  return [...groups].map(([slug, events]) => ({ brand: knownBrand(context, slug), events }))
}

/** The brand; UNAVAILABLE while it has not reached this replica yet. */
export function knownBrand(context: { readonly brands: Pick<BrandDirectory, 'get'> }, slug: string): BrandView {
  const brand = context.brands.get(slug)
  if (brand === undefined) throw unavailable('the brand is not known here yet')
  return brand
}
