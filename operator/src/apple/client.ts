import type { Clock } from '@stampede/platform'
import type { CertificateType } from '../crd/brand.ts'
import type { HttpsJson, JsonAnswer, JsonCall } from '../https-json.ts'
import { isRecord } from '../json.ts'
import type { AppleMetrics } from '../metrics.ts'
import { AppStoreError, fromAnswer } from './errors.ts'
import { type ApiKey, createTokenSource } from './token.ts'

/** What App Store Connect is called with. */
export interface AppStoreOptions {
  /** Origin. */
  readonly url: URL
  readonly key: ApiKey
  readonly https: HttpsJson
  readonly clock: Clock
  readonly metrics: AppleMetrics
}

/** A certificate as Apple holds it. */
export interface IssuedCertificate {
  /** Resource id. */
  readonly id: string
  /** Base64 of the DER. */
  readonly content: string
}

/** One team's App Store Connect. Throws AppStoreError, or TemporaryError when there is no answer. */
export interface AppStore {
  /** Resource id of a pass type id; undefined when the team has none such. */
  findPassType(identifier: string): Promise<string | undefined>
  /** Creates a pass type id; returns its resource id. */
  createPassType(identifier: string, name: string): Promise<string>
  /** All certificates of a pass type id that are not revoked. */
  listCertificates(passType: string): Promise<readonly IssuedCertificate[]>
  /** Asks for a certificate; each call makes another one. `csr`: DER. Returns its content. */
  requestCertificate(passType: string, type: CertificateType, csr: Buffer): Promise<string>
  /** Revokes a certificate: installed passes that it signed stop working. */
  revokeCertificate(id: string): Promise<void>
}

const PAGE_SIZE = 200
/** A pass type id has a certificate or two; more pages than this are no answer of Apple's. */
const PAGES_MAX = 50
/** Where Apple does not say how long to wait. */
const RATE_LIMIT_PAUSE_MS = 60_000

const types: Readonly<Record<CertificateType, string>> = {
  PassTypeId: 'PASS_TYPE_ID',
  PassTypeIdWithNfc: 'PASS_TYPE_ID_WITH_NFC',
}

/** Creates the client of one key. Throws TypeError for a key that is none. */
export function createAppStore(options: AppStoreOptions): AppStore {
  return new AppStoreClient(options)
}

class AppStoreClient implements AppStore {
  readonly #options: AppStoreOptions
  readonly #token: () => string
  /** The rate is the key's: when one call was told to wait, all wait. */
  #pausedUntilMs = 0

  constructor(options: AppStoreOptions) {
    this.#options = options
    this.#token = createTokenSource(options.key, options.clock)
  }

  async findPassType(identifier: string): Promise<string | undefined> {
    const query = new URLSearchParams({ 'filter[identifier]': identifier, limit: String(PAGE_SIZE) })
    for await (const { id, attributes } of this.#list('list_pass_types', `/v1/passTypeIds?${query}`)) {
      if (attributes['identifier'] === identifier) return id
    }
    return undefined
  }

  async createPassType(identifier: string, name: string): Promise<string> {
    const data = { type: 'passTypeIds', attributes: { identifier, name } }
    const answer = await this.#call('create_pass_type', 'POST', '/v1/passTypeIds', { data })
    return resourceOf(answer).id
  }

  async listCertificates(passType: string): Promise<readonly IssuedCertificate[]> {
    const found: IssuedCertificate[] = []
    const path = `/v1/passTypeIds/${encodeURIComponent(passType)}/certificates?limit=${PAGE_SIZE}`
    for await (const resource of this.#list('list_certificates', path))
      found.push({ id: resource.id, content: contentOf(resource) })
    return found
  }

  async requestCertificate(passType: string, type: CertificateType, csr: Buffer): Promise<string> {
    const data = {
      type: 'certificates',
      attributes: { certificateType: types[type], csrContent: csr.toString('base64') },
      relationships: { passTypeId: { data: { type: 'passTypeIds', id: passType } } },
    }
    const answer = await this.#call('create_certificate', 'POST', '/v1/certificates', { data })
    return contentOf(resourceOf(answer))
  }

  async revokeCertificate(id: string): Promise<void> {
    await this.#call('revoke_certificate', 'DELETE', `/v1/certificates/${encodeURIComponent(id)}`)
  }

  async *#list(operation: string, path: string): AsyncIterable<AppStoreResource> {
    let next: string | undefined = path
    for (let pages = 0; next !== undefined; pages += 1) {
      if (pages === PAGES_MAX) throw new AppStoreError('unavailable', 'App Store Connect answers with too many pages')
      const { body } = await this.#call(operation, 'GET', next)
      const { data, links }: Record<string, unknown> = isRecord(body) ? body : {}
      if (!Array.isArray(data)) throw new AppStoreError('unavailable', 'App Store Connect answered no list')
      for (const one of data) yield readResource(one)
      const link = isRecord(links) ? links['next'] : undefined
      next = typeof link === 'string' ? pathOf(link) : undefined
    }
  }

  async #call(operation: string, method: JsonCall['method'], path: string, body?: object): Promise<JsonAnswer> {
    const { url, https, clock, metrics } = this.#options
    const pauseMs = this.#pausedUntilMs - clock.nowMs()
    if (pauseMs > 0) throw new AppStoreError('rateLimited', 'App Store Connect asked for a pause', pauseMs)
    const headers = { authorization: `Bearer ${this.#token()}`, accept: 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const typed = body === undefined ? {} : { 'content-type': 'application/json' }
    const stop = metrics.seconds.startTimer({ operation })
    const answer = await https
      .call({ method, url: new URL(path, url), headers: { ...headers, ...typed }, ...sent })
      .catch((error: unknown) => {
        metrics.calls.inc({ operation, status: 'none' })
        throw error
      })
    stop()
    metrics.calls.inc({ operation, status: String(answer.status) })
    if (answer.status >= 200 && answer.status < 300) return answer
    const error = fromAnswer(answer)
    if (error.code !== 'rateLimited') throw error
    const retryAfterMs = error.retryAfterMs ?? RATE_LIMIT_PAUSE_MS
    this.#pausedUntilMs = clock.nowMs() + retryAfterMs
    throw new AppStoreError('rateLimited', error.message, retryAfterMs)
  }
}

interface AppStoreResource {
  readonly id: string
  readonly attributes: Readonly<Record<string, unknown>>
}

function readResource(value: unknown): AppStoreResource {
  if (isRecord(value) && typeof value['id'] === 'string' && isRecord(value['attributes']))
    return { id: value['id'], attributes: value['attributes'] }
  throw new AppStoreError('unavailable', 'App Store Connect answered no resource')
}

function resourceOf({ body }: JsonAnswer): AppStoreResource {
  return readResource(isRecord(body) ? body['data'] : undefined)
}

function contentOf({ attributes }: AppStoreResource): string {
  const content = attributes['certificateContent']
  return typeof content === 'string' ? content : ''
}

/** The next page is asked of the host that we were told to use, whatever the link says: the token goes nowhere else. */
function pathOf(link: string): string {
  const { pathname, search } = new URL(link)
  return pathname + search
}
