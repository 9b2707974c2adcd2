import { X509Certificate } from 'node:crypto'
import { createSigner, PkpassError, type Signer } from '@stampede/pkpass'
import { type AppleCredential, type Clock, type Credentials, failedPrecondition, type Logger } from '@stampede/platform'
import type { BrandView } from './domain/card.ts'

interface Entry {
  readonly key: string
  readonly signer: Promise<Signer>
}

/** Whether a brand's passes can be signed, and what keeps them from it. */
export interface CertificateState {
  readonly state: 'ok' | 'missing' | 'expired' | 'mismatched'
  /** Empty when it is ok. */
  readonly reason: string
  readonly notAfter: Date | undefined
  /** Whether it may sign what contactless readers are given. */
  readonly nfc: boolean
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
    try {
      return await this.#signer(brand, material)
    } catch (error) {
      this.#logger.error({ err: error, brand: brand.brand }, 'the Apple certificate of a brand cannot be used')
      throw failedPrecondition('the brand’s Apple certificate cannot be used')
    }
  }

  /** Whether the brand's passes can be signed now. */
  async state(brand: BrandView): Promise<CertificateState> {
    const material = this.#credentials.apple(brand.brand)
    if (material === undefined) {
      return { state: 'missing', reason: 'no certificate is mounted', notAfter: undefined, nfc: false }
    }
    try {
      const { notAfter, nfc } = await this.#signer(brand, material)
      const isOver = notAfter < this.#clock.now()
      return { state: isOver ? 'expired' : 'ok', reason: isOver ? 'its life is over' : '', notAfter, nfc }
    } catch (error) {
      if (!(error instanceof PkpassError)) throw error
      const state = error.path === 'certificate.validity' ? 'expired' : 'mismatched'
      return { state, reason: error.message, notAfter: endOf(material), nfc: false }
    }
  }

  async #signer(brand: BrandView, material: AppleCredential): Promise<Signer> {
    const key = `${material.fingerprint}/${brand.passTypeId}/${brand.teamId}`
    const known = this.#entries.get(brand.brand)
    if (known?.key === key) return await known.signer
    const { certPem, wwdrPem, keyPem } = material
    const identity = { passTypeIdentifier: brand.passTypeId, teamIdentifier: brand.teamId }
    const signer = createSigner({ certPem, wwdrPem, keyPem, ...identity }, this.#clock.now())
    this.#entries.set(brand.brand, { key, signer })
    signer.catch(() => this.#entries.delete(brand.brand))
    return await signer
  }
}

function endOf({ certPem }: AppleCredential): Date | undefined {
  try {
    return new X509Certificate(certPem).validToDate
  } catch {
    return undefined
  }
}
