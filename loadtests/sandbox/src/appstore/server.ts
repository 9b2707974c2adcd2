import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authority } from '../authority.ts'
import type { AppStoreFaults } from '../faults.ts'
import { type Journal, nowMs } from '../journal.ts'
import { seededRandom } from '../random.ts'
import type { AppStoreChange, AppStoreRow } from '../rows.ts'
import { checkCsr } from './csr.ts'
import type { RegisteredKey } from './keys.ts'
import { type AppStoreProblem, bad, badAttribute, type Checked, good, problemBody } from './problem.ts'
import { pageOf, readListQuery } from './query.ts'
import { RateWindow } from './rate-window.ts'
import { type Entity, readCertificateType, readEntity } from './requests.ts'
import { showCertificate, showPassType } from './resources.ts'
import { AppStoreStore, type Certificate, type PassTypeCounts } from './store.ts'
import { checkToken } from './token.ts'

/** What the App Store Connect stand-in is built from. */
export interface AppStoreOptions {
  readonly authority: Authority
  readonly hosts: readonly string[]
  /** 0: any free port. */
  readonly port: number
  /** Address to listen on; default 127.0.0.1. */
  readonly listenHost?: string | undefined
  readonly journal: Journal
  readonly keys: (keyId: string) => RegisteredKey | undefined
  readonly faults: () => AppStoreFaults
}

/** Counts over restarts. */
export interface AppStoreStatistics {
  readonly calls: number
  readonly byStatus: Readonly<Record<string, number>>
  /** By pass type id. */
  readonly passTypes: Readonly<Record<string, PassTypeCounts>>
}

/** The running App Store Connect stand-in. */
export interface AppStoreServer extends AsyncDisposable {
  readonly port: number
  /** Applies a row of an earlier run. */
  restore(row: AppStoreRow): void
  statistics(): AppStoreStatistics
}

const BODY_BYTES_MAX = 64 * 1024
const FAULT_SEED = 11

interface Answer {
  readonly status: number
  readonly body?: object
  readonly change?: AppStoreChange
}

interface Call {
  readonly method: string
  readonly url: URL
  readonly body: Buffer
  readonly contentType: string
}

type Handler = (key: RegisteredKey, call: Call, id: string) => Checked<Answer>

class AppStore implements AppStoreServer {
  readonly #options: AppStoreOptions
  readonly #server: Server
  readonly #store = new AppStoreStore()
  readonly #window = new RateWindow()
  readonly #random = seededRandom(FAULT_SEED)
  readonly #byStatus: Record<string, number> = {}
  #calls = 0

  constructor(options: AppStoreOptions) {
    this.#options = options
    const { certPem, keyPem } = options.authority.issueServerCertificate(options.hosts)
    this.#server = createServer({ cert: certPem, key: keyPem, minVersion: 'TLSv1.2' }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
    this.#server.on('tlsClientError', () => undefined)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, this.#options.listenHost ?? '127.0.0.1', () => resolve())
    })
  }

  restore({ status, teamId, change }: AppStoreRow): void {
    this.#count(status)
    if (teamId !== undefined && change) this.#store.apply(teamId, change)
  }

  statistics(): AppStoreStatistics {
    return { calls: this.#calls, byStatus: { ...this.#byStatus }, passTypes: this.#store.counts() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `https://${request.headers.host ?? 'localhost'}`)
    const method = request.method ?? 'GET'
    const body = await readBody(request)
    const admitted = this.#admit(request.headers.authorization ?? '', response)
    if (!admitted.ok) return this.#refuse(response, { method, url }, admitted.problem)
    const key = admitted.value
    if (!body) return this.#refuse(response, { method, url }, bad(413, 'REQUEST_TOO_LARGE', 'too large').problem, key)
    const { delayMs } = this.#options.faults()
    if (delayMs > 0) await sleep(delayMs)
    const call = { method, url, body, contentType: request.headers['content-type'] ?? '' }
    const result = this.#route(key, call)
    if (!result.ok) return this.#refuse(response, call, result.problem, key)
    const { change } = result.value
    if (change) this.#store.apply(key.teamId, change)
    const answer = change?.kind === 'certificate' ? this.#spoil(result.value) : result.value
    await this.#log(call, key, { status: answer?.status ?? 0, ...(change && { change }) })
    if (!answer) return void response.destroy()
    send(response, answer)
  }

  /** What becomes of the answer to an issued certificate; undefined: the connection breaks off. */
  #spoil(answer: Answer): Answer | undefined {
    const { failAfterIssuingShare, loseAnswerShare } = this.#options.faults()
    if (this.#happens(loseAnswerShare)) return undefined
    if (!this.#happens(failAfterIssuingShare)) return answer
    return { status: 500, body: problemBody(randomUUID(), unexpected) }
  }

  /** Who calls, and whether the rate allows it. */
  #admit(authorization: string, response: ServerResponse): Checked<RegisteredKey> {
    const faults = this.#options.faults()
    const checked = checkToken(authorization, this.#options.keys, Math.floor(Date.now() / 1000))
    if (!checked.ok) return checked
    const { keyId } = checked.value
    if (this.#happens(faults.refuseShare)) return bad(401, 'NOT_AUTHORIZED', 'told to refuse')
    const left = this.#window.take(keyId, faults.callsPerHour, Date.now())
    response.setHeader('x-rate-limit', `user-hour-lim:${faults.callsPerHour};user-hour-rem:${Math.max(0, left)};`)
    if (left < 0 || this.#happens(faults.throttleShare)) {
      response.setHeader('retry-after', String(faults.retryAfterSeconds))
      return bad(429, 'RATE_LIMIT_EXCEEDED', 'The request rate limit has been reached.')
    }
    if (this.#happens(faults.failShare)) return { ok: false, problem: unexpected }
    return checked
  }

  #happens(share: number): boolean {
    return share > 0 && this.#random() < share
  }

  #route(key: RegisteredKey, call: Call): Checked<Answer> {
    const [, collection = '', id = '', relation = '', rest] = /^\/v1\/(\w+)(?:\/([\w-]+))?(?:\/(\w+))?(\/.*)?$/.exec(
      call.url.pathname,
    ) ?? [undefined, '']
    if (call.method === 'POST' || call.method === 'PATCH') {
      if (!/^application\/(vnd\.api\+)?json\b/.test(call.contentType))
        return bad(415, 'UNSUPPORTED_MEDIA_TYPE', 'send application/json')
    }
    const shape = `${collection}${id ? '/:id' : ''}${relation ? `/${relation}` : ''}`
    const methods = rest === undefined ? this.#handlers[shape] : undefined
    if (!methods) return bad(404, 'NOT_FOUND', `There is no path '${call.url.pathname}'`)
    const handler = methods[call.method]
    return handler ? handler(key, call, id) : bad(405, 'METHOD_NOT_ALLOWED', `${call.method} is not allowed here`)
  }

  readonly #handlers: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    passTypeIds: {
      GET: (key, { url }) => this.#listPassTypes(key, url),
      POST: (key, { url, body }) => this.#createPassType(key, url, body),
    },
    'passTypeIds/:id': {
      GET: (key, { url }, id) => this.#showPassType(key, url, id),
      PATCH: (key, { url, body }, id) => this.#renamePassType(key, url, body, id),
      DELETE: (key, _, id) => {
        const found = this.#store.passType(key.teamId, id)
        return found.ok ? good({ status: 204, change: { kind: 'pass-type-deleted', id } }) : found
      },
    },
    'passTypeIds/:id/certificates': {
      GET: (key, { url }, id) => {
        const found = this.#store.passType(key.teamId, id)
        return found.ok ? this.#listCertificates(key, url, id) : found
      },
    },
    certificates: {
      GET: (key, { url }) => this.#listCertificates(key, url),
      POST: (key, { url, body }) => this.#createCertificate(key, url, body),
    },
    'certificates/:id': {
      GET: (key, { url }, id) => {
        const found = this.#store.certificate(key.teamId, id)
        return found.ok ? good({ status: 200, body: { data: this.#show(key, url, found.value) } }) : found
      },
      DELETE: (key, _, id) => {
        const found = this.#store.certificate(key.teamId, id)
        return found.ok ? good({ status: 204, change: { kind: 'certificate-revoked', id } }) : found
      },
    },
  }

  #listPassTypes({ teamId }: RegisteredKey, url: URL): Checked<Answer> {
    const query = readListQuery(url.searchParams, ['id', 'identifier', 'name'])
    if (!query.ok) return query
    const { filters } = query.value
    const fits = (name: string, value: string) => filters.get(name)?.has(value) ?? true
    const found = this.#store
      .passTypes(teamId)
      .filter(({ id, identifier, name }) => fits('id', id) && fits('identifier', identifier) && fits('name', name))
    return good({ status: 200, body: pageOf(found, query.value, url, (one) => showPassType(url.origin, one)) })
  }

  #showPassType({ teamId }: RegisteredKey, url: URL, id: string): Checked<Answer> {
    const found = this.#store.passType(teamId, id)
    return found.ok ? good({ status: 200, body: { data: showPassType(url.origin, found.value) } }) : found
  }

  #createPassType({ teamId }: RegisteredKey, url: URL, body: Buffer): Checked<Answer> {
    const entity = readEntity(body, 'passTypeIds')
    if (!entity.ok) return entity
    const { identifier, name } = entity.value.attributes
    const checked = this.#store.checkNew(identifier, name)
    if (!checked.ok) return checked
    const id = resourceId()
    const change = { kind: 'pass-type' as const, id, ...checked.value }
    const shown = showPassType(url.origin, { id, teamId, ...checked.value })
    return good({ status: 201, body: { data: shown }, change })
  }

  #renamePassType({ teamId }: RegisteredKey, url: URL, body: Buffer, id: string): Checked<Answer> {
    const entity = readEntity(body, 'passTypeIds')
    if (!entity.ok) return entity
    const found = this.#store.passType(teamId, id)
    if (!found.ok) return found
    const { name, ...others } = entity.value.attributes
    const [other] = Object.keys(others)
    if (other !== undefined) return badAttribute(other, 'can not be changed')
    if (typeof name !== 'string' || name === '') return badAttribute('name', 'is missing')
    const { identifier } = found.value
    const body200 = { data: showPassType(url.origin, { ...found.value, name }) }
    return good({ status: 200, body: body200, change: { kind: 'pass-type', id, identifier, name } })
  }

  #listCertificates(key: RegisteredKey, url: URL, passType?: string): Checked<Answer> {
    const query = readListQuery(url.searchParams, ['id', 'serialNumber', 'certificateType'])
    if (!query.ok) return query
    const { filters } = query.value
    const fits = (name: string, value: string) => filters.get(name)?.has(value) ?? true
    const found = this.#store
      .certificates(key.teamId)
      .filter((one) => passType === undefined || one.passType === passType)
      .filter(({ id, serialNumber }) => fits('id', id) && fits('serialNumber', serialNumber))
      .filter(({ certificateType }) => fits('certificateType', certificateType))
    return good({ status: 200, body: pageOf(found, query.value, url, (one) => this.#show(key, url, one)) })
  }

  #createCertificate(key: RegisteredKey, url: URL, body: Buffer): Checked<Answer> {
    const entity = readEntity(body, 'certificates')
    if (!entity.ok) return entity
    const type = readCertificateType(entity.value.attributes['certificateType'], key.nfc)
    if (!type.ok) return type
    const passType = this.#relatedPassType(key, entity.value)
    if (!passType.ok) return passType
    const csr = checkCsr(entity.value.attributes['csrContent'])
    if (!csr.ok) return csr
    const { identifier, id: passTypeId } = passType.value
    const notBeforeMs = Date.now() - 1000
    const request = {
      passTypeId: identifier,
      teamId: key.teamId,
      nfc: type.value === 'PASS_TYPE_ID_WITH_NFC',
      notBeforeMs,
      notAfterMs: notBeforeMs + this.#options.faults().lifeSeconds * 1000,
    }
    const content = this.#options.authority.certifyPassKey(request, csr.value).toString('base64')
    const id = resourceId()
    const change = { kind: 'certificate' as const, id, passType: passTypeId, certificateType: type.value, content }
    const shown: Certificate = { ...change, teamId: key.teamId, serialNumber: '', expirationDate: '' }
    return good({ status: 201, change, body: { data: showCertificate(url.origin, shown, identifier) } })
  }

  #relatedPassType({ teamId }: RegisteredKey, { related }: Entity) {
    const target = related.get('passTypeId')
    if (target?.type === 'passTypeIds') return this.#store.passType(teamId, target.id)
    return bad(404, 'NOT_FOUND', "There is no resource of type 'passTypeIds' with id 'null'")
  }

  #show({ teamId }: RegisteredKey, url: URL, certificate: Certificate): object {
    const owner = this.#store.passType(teamId, certificate.passType)
    return showCertificate(url.origin, certificate, owner.ok ? owner.value.identifier : '')
  }

  async #refuse(
    response: ServerResponse,
    call: Pick<Call, 'method' | 'url'>,
    problem: AppStoreProblem,
    key?: RegisteredKey,
  ): Promise<void> {
    const { status, code } = problem
    await this.#log(call, key, { status, code })
    send(response, { status, body: problemBody(randomUUID(), problem) })
  }

  #count(status: number): void {
    this.#calls += 1
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1
  }

  /** Resolves when the journal holds the call: only then may it be answered. */
  #log(
    { method, url }: Pick<Call, 'method' | 'url'>,
    key: RegisteredKey | undefined,
    more: Pick<AppStoreRow, 'status' | 'code' | 'change'>,
  ): Promise<void> {
    this.#count(more.status)
    const who = key && { teamId: key.teamId }
    const row: AppStoreRow = { at: nowMs(), ...who, method, path: url.pathname + url.search, ...more }
    return new Promise((resolve) => this.#options.journal.append(row, resolve))
  }
}

const unexpected: AppStoreProblem = { status: 500, code: 'UNEXPECTED_ERROR', detail: 'An unexpected error occurred.' }

function resourceId(): string {
  return randomBytes(5).toString('hex').toUpperCase()
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > BODY_BYTES_MAX) return undefined
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (body === undefined) {
    response.writeHead(status).end()
    return
  }
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** Starts the App Store Connect stand-in on 127.0.0.1, or where it is told to. */
export async function startAppStore(options: AppStoreOptions): Promise<AppStoreServer> {
  const server = new AppStore(options)
  await server.listen()
  return server
}
