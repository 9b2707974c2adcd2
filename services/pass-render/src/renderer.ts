import { buildPassChunks, type PassJson } from '@stampede/pkpass'
import { type BrandDirectory, type Clock, failedPrecondition, type Sql, unavailable } from '@stampede/platform'
import { CampaignMessage, type LocalizedText } from '@stampede/proto/events/v1'
import type { Designs, ReadyDesign } from './designs.ts'
import type { BrandView } from './domain/card.ts'
import { passJson, withWebService } from './domain/pass-content.ts'
import { composeMessage } from './domain/values.ts'
import { versionText } from './domain/version-tag.ts'
import type { Meters } from './metrics.ts'
import type { Names } from './names.ts'
import type { Built, PassBytes, SignQueue } from './sign-queue.ts'
import type { Signers } from './signers.ts'
import { messagesOf } from './store/messages.ts'
import type { PassRecord } from './store/passes.ts'

/** What rendering needs. */
export interface RendererParts {
  /** Of the former messages. */
  readonly database: Sql
  readonly brands: BrandDirectory
  readonly designs: Designs
  readonly signers: Signers
  readonly names: Names
  readonly queue: SignQueue
  readonly clock: Clock
  readonly meters: Meters
  /** Public base of a brand's web service. */
  readonly webUrl: (brand: string) => string
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

  /**
   * The signed bundle of a pass as it is now, while somebody wants it. FAILED_PRECONDITION without design or
   * certificate; OverloadedError, UnwantedError.
   */
  async signed(record: PassRecord, authenticationToken: string, isWanted: () => boolean): Promise<PassBytes> {
    const { signers, queue, clock } = this.#parts
    const signer = await signers.get(this.#brand(record.brand))
    const url = this.#parts.webUrl(record.brand)
    const key = `${record.brand}/${record.serial}/${versionText(record)}/${signer.fingerprint}/${url}`
    const build = async (): Promise<Built> => {
      const content = await this.content(record, signer.nfc)
      const pass = withWebService(content.pass, { url, authenticationToken })
      const chunks = await buildPassChunks({ pass, assets: content.ready.assets }, signer, clock.now())
      const [shared = new Uint8Array(), ...own] = chunks
      // The pieces of its own are small: one copy of them is cheaper than sending each.
      return { bytes: [shared, Buffer.concat(own)], cacheable: content.complete }
    }
    return await queue.get({ key, build, isWanted })
  }

  /** pass.json (without the web service) and the message of a pass as it is now. */
  async content(record: PassRecord, allowsNfc = true): Promise<RenderedContent> {
    const brand = this.#brand(record.brand)
    const ready = await this.#parts.designs.get(record.brand, record.templateId, record.templateVersion)
    if (ready === undefined) {
      this.#parts.meters.unready.inc({ brand: brand.brand, state: 'design' })
      throw failedPrecondition('the brand has no card design yet')
    }
    const texts = record.message === undefined ? [] : CampaignMessage.decode(record.message).texts
    const former = await this.#former(record, ready.design.messageHistory)
    const patterns = [texts, ...former.map((item) => item.texts)].flat()
    const needsName = ready.design.usesName || patterns.some((item) => item.text.includes('name'))
    const lookup = needsName ? await this.#parts.names.find(record.brand, record.state.member) : noNameNeeded
    const name = lookup.known ? lookup.name : ''
    const message = composeMessage(texts, record.state, brand, name)
    const history = former.map(({ at, texts }) => ({ at, text: composeMessage(texts, record.state, brand, name) }))
    const shown = { name, message, history }
    const pass = passJson({ design: ready.design, brand, state: record.state, serial: record.serial, shown, allowsNfc })
    return { pass, ready, brand, message, complete: lookup.known }
  }

  /** Messages before the one that the card shows. */
  async #former({ brand, no }: PassRecord, count: number): Promise<readonly FormerTexts[]> {
    if (count === 0) return []
    const held = await messagesOf(this.#parts.database, brand, no, count + 1)
    return held.slice(1).map(({ at, body }) => ({ at, texts: CampaignMessage.decode(body).texts }))
  }

  #brand(slug: string): BrandView {
    const brand = this.#parts.brands.get(slug)
    if (brand === undefined) throw unavailable('the brand is not known here yet')
    return brand
  }
}

interface FormerTexts {
  readonly at: Date
  readonly texts: readonly LocalizedText[]
}

const noNameNeeded = { known: true, name: '' } as const
