import { createSigner, PkpassError, type Signer } from '@stampede/pkpass'
import { type AppleCredential, type Clock, type Credentials, failedPrecondition, type Logger } from '@stampede/platform'
import { endOf } from './certificate-meter.ts'
import type { BrandView } from './domain/card.ts'
import type { Meters } from './metrics.ts'

/** How long a certificate that was refused is not looked at again, in milliseconds: phones come by the thousand. */
const REFUSED_FOR_MS = 10_000

interface Entry {
  readonly key: string
  readonly signer: Promise<Signer>
  /** Set when the signer was refused. */
  refusedUntilMs?: number
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

type Found = CertificateState & { readonly signer?: Signer }

/** One signer per brand, made anew when the brand's certificate or identifiers change. */
export class Signers {
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #meters: Meters
  readonly #entries = new Map<string, Entry>()
  /** What the log was last told of a brand. */
  readonly #told = new Map<string, CertificateState['state']>()

  constructor(credentials: Credentials, clock: Clock, logger: Logger, meters: Meters) {
    this.#credentials = credentials
    this.#clock = clock
    this.#logger = logger
    this.#meters = meters
  }

  /** The brand's signer; FAILED_PRECONDITION while it has no fitting certificate. */
  async get(brand: BrandView): Promise<Signer> {
    const { signer, ...found } = await this.#find(brand)
    this.#tell(brand.brand, found)
    if (signer !== undefined) return signer
    this.#meters.unready.inc({ brand: brand.brand, state: found.state })
    if (found.state === 'missing') throw failedPrecondition('the brand has no Apple certificate yet')
    throw failedPrecondition('the brand’s Apple certificate cannot be used')
  }

  /** Whether the brand's passes can be signed now. */
  async state(brand: BrandView): Promise<CertificateState> {
    const { signer: _, ...found } = await this.#find(brand)
    return found
  }

  async #find(brand: BrandView): Promise<Found> {
    const material = this.#credentials.apple(brand.brand)
    if (material === undefined) {
      return { state: 'missing', reason: 'no certificate is mounted', notAfter: undefined, nfc: false }
    }
    try {
      const signer = await this.#signer(brand, material)
      const { notAfter, nfc } = signer
      if (notAfter < this.#clock.now()) return { state: 'expired', reason: 'its life is over', notAfter, nfc }
      return { state: 'ok', reason: '', notAfter, nfc, signer }
    } catch (error) {
      if (!(error instanceof PkpassError)) throw error
      const state = error.path === 'certificate.validity' ? 'expired' : 'mismatched'
      return { state, reason: error.message, notAfter: endOf(material), nfc: false }
    }
  }

  async #signer(brand: BrandView, material: AppleCredential): Promise<Signer> {
    const key = `${material.fingerprint}/${brand.passTypeId}/${brand.teamId}`
    const known = this.#entries.get(brand.brand)
    const isRefused = known?.refusedUntilMs !== undefined && known.refusedUntilMs > this.#clock.nowMs()
    if (known?.key === key && (known.refusedUntilMs === undefined || isRefused)) return await known.signer
    const { certPem, wwdrPem, keyPem } = material
    const identity = { passTypeIdentifier: brand.passTypeId, teamIdentifier: brand.teamId }
    const signer = createSigner({ certPem, wwdrPem, keyPem, ...identity }, this.#clock.now())
    const entry: Entry = { key, signer }
    this.#entries.set(brand.brand, entry)
    signer.catch(() => {
      entry.refusedUntilMs = this.#clock.nowMs() + REFUSED_FOR_MS
    })
    return await signer
  }

  /** Once per change: not with each of the phones that come. */
  #tell(brand: string, { state, reason, notAfter }: CertificateState): void {
    if (this.#told.get(brand) === state) return
    this.#told.set(brand, state)
    if (state === 'ok') this.#logger.info({ brand, notAfter }, 'the Apple certificate of a brand is in use')
    else this.#logger.error({ brand, state, reason, notAfter }, 'the Apple certificate of a brand cannot be used')
  }
}
