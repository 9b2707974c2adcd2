import { createSigner, type Signer } from '@stampede/pkpass'
import { type Clock, type Credentials, failedPrecondition, type Logger } from '@stampede/platform'
import type { BrandView } from './domain/card.ts'

interface Entry {
  readonly key: string
  readonly signer: Promise<Signer>
}

/** One signer per brand, made anew when the brand's certificate or identifiers change. */
export class Signers {
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()

  constructor(credentials: Credentials, clock: Clock, logger: Logger) {
    this.#credentials = credentials
    this.#clock = clock
    this.#logger = logger
  }

  /** The brand's signer; FAILED_PRECONDITION while it has no fitting certificate. */
  async get(brand: BrandView): Promise<Signer> {
    const material = this.#credentials.apple(brand.brand)
    if (material === undefined) throw failedPrecondition('the brand has no Apple certificate yet')
    const key = `${material.fingerprint}/${brand.passTypeId}/${brand.teamId}`
    const known = this.#entries.get(brand.brand)
    if (known?.key === key) return await known.signer
    const { certPem, wwdrPem, keyPem } = material
    const identity = { passTypeIdentifier: brand.passTypeId, teamIdentifier: brand.teamId }
    const signer = createSigner({ certPem, wwdrPem, keyPem, ...identity }, this.#clock.now())
    this.#entries.set(brand.brand, { key, signer })
    try {
      return await signer
    } catch (error) {
      this.#entries.delete(brand.brand)
      this.#logger.error({ err: error, brand: brand.brand }, 'the Apple certificate of a brand cannot be used')
      throw failedPrecondition('the brand’s Apple certificate cannot be used')
    }
  }
}
