import { type BrandDirectory, notFound } from '@stampede/platform'

/** A brand created a moment ago may still be on its way to this directory. */
const ARRIVAL_MS = 2_000
const LOOK_MS = 20

/** Returns when the brand is known. Throws NOT_FOUND if it does not become known within two seconds. */
export async function expectBrand(brands: BrandDirectory, brand: string): Promise<void> {
  const deadline = performance.now() + ARRIVAL_MS
  while (brands.get(brand) === undefined) {
    if (performance.now() >= deadline) throw notFound()
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
