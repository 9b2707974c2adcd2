import { buildPass, type PassJson } from '@stampede/pkpass'
import { type BrandDirectory, type Clock, failedPrecondition, unavailable } from '@stampede/platform'
import { CampaignMessage } from '@stampede/proto/events/v1'
import type { Designs, ReadyDesign } from './designs.ts'
import type { BrandView } from './domain/card.ts'
import { passJson, withWebService } from './domain/pass-content.ts'
import type { Secrets } from './domain/secrets.ts'
import { composeMessage } from './domain/values.ts'
import { versionText } from './domain/version-tag.ts'
import type { Names } from './names.ts'
import type { SignQueue } from './sign-queue.ts'
import type { Signers } from './signers.ts'
import type { PassRecord } from './store/passes.ts'

/** What rendering needs. */
export interface RendererParts {
  readonly brands: BrandDirectory
  readonly designs: Designs
  readonly signers: Signers
  readonly names: Names
  readonly queue: SignQueue
  readonly secrets: Secrets
  readonly clock: Clock
  /** Public base of the web service. */
  readonly webUrl: () => string
}

/** What a phone would show, before the signature. */
export interface RenderedContent {
  readonly pass: PassJson
  readonly ready: ReadyDesign
  readonly brand: BrandView
  /** The campaign's composed message; empty when none. */
  readonly message: string
  /** false when a name belongs on the card but could not be had. */
  readonly complete: boolean
}

/** Makes passes out of stored state. */
export class Renderer {
  readonly #parts: RendererParts

  constructor(parts: RendererParts) {
    this.#parts = parts
  }

  /** The signed bundle of a pass as it is now. FAILED_PRECONDITION without design or certificate; OverloadedError. */
  async signed(record: PassRecord): Promise<Buffer> {
    const { secrets, signers, queue, clock } = this.#parts
    const signer = await signers.get(this.#brand(record.brand))
    const key = `${record.brand}/${record.serial}/${versionText(record)}/${signer.fingerprint}`
    return await queue.get(key, async () => {
      const content = await this.content(record, signer.nfc)
      const authenticationToken = secrets.openAuthToken(record.authToken, record.brand, record.serial)
      const pass = withWebService(content.pass, { url: this.#parts.webUrl(), authenticationToken })
      const bytes = await buildPass({ pass, assets: content.ready.assets }, signer, clock.now())
      return { bytes, cacheable: content.complete }
    })
  }

  /** pass.json (without the web service) and the message of a pass as it is now. */
  async content(record: PassRecord, allowsNfc = true): Promise<RenderedContent> {
    const brand = this.#brand(record.brand)
    const ready = await this.#parts.designs.get(record.brand, record.templateId, record.templateVersion)
    if (ready === undefined) throw failedPrecondition('the brand has no card design yet')
    const texts = record.message === undefined ? [] : CampaignMessage.decode(record.message).texts
    const needsName = ready.design.usesName || texts.some((item) => item.text.includes('name'))
    const lookup = needsName ? await this.#parts.names.find(record.brand, record.state.member) : noNameNeeded
    const name = lookup.known ? lookup.name : ''
    const message = composeMessage(texts, record.state, brand, name)
    const shown = { name, message }
    const pass = passJson({ design: ready.design, brand, state: record.state, serial: record.serial, shown, allowsNfc })
    return { pass, ready, brand, message, complete: lookup.known }
  }

  #brand(slug: string): BrandView {
    const brand = this.#parts.brands.get(slug)
    if (brand === undefined) throw unavailable('the brand is not known here yet')
    return brand
  }
}

const noNameNeeded = { known: true, name: '' } as const
