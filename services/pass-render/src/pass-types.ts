import type { BrandDirectory, BrandInfo } from '@stampede/platform'

/** Which brand owns a pass type: asked with each request of a phone, so it must not go through all brands. */
export class PassTypes {
  readonly #brands: Pick<BrandDirectory, 'list' | 'onChange'>
  #byType: ReadonlyMap<string, BrandInfo> | undefined

  constructor(brands: Pick<BrandDirectory, 'list' | 'onChange'>) {
    this.#brands = brands
    brands.onChange(() => {
      this.#byType = undefined
    })
  }

  /** The owner of a pass type; undefined when there is none. */
  brandOf(passTypeId: string): BrandInfo | undefined {
    this.#byType ??= new Map(this.#brands.list().map((brand) => [brand.passTypeId, brand]))
    return this.#byType.get(passTypeId)
  }
}
