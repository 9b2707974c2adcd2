import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createSecureContext, type TLSSocket } from 'node:tls'
import type { Authority } from '../authority.ts'
import type { GoogleFaults } from '../faults.ts'
import type { RegisteredAccount } from '../google-account.ts'
import { type Journal, nowMs } from '../journal.ts'
import { isObject } from '../pass/check-json.ts'
import { seededRandom } from '../random.ts'
import type { GoogleRow } from '../rows.ts'
import { CallbackSigner } from './callback-signer.ts'
import { Callbacks } from './callbacks.ts'
import { badRequest, type GoogleProblem, problem, problemBody } from './problem.ts'
import { RateLimiter } from './rate-limiter.ts'
import {
  classKindOf,
  isClassKind,
  issuerOf,
  objectKindOf,
  type Resource,
  type ResourceKind,
  resourceKinds,
} from './rules.ts'
import { quotaExceeded, ResourceStore, type Write, type WriteResult } from './store.ts'
import { type AccessTokens, checkSaveToken, checkTokenRequest, TOKEN_LIFE_SECONDS } from './tokens.ts'

/** What the Google stand-in is built from. */
export interface GoogleOptions {
  readonly authority: Authority
  readonly hosts: readonly string[]
  /** 0: any free port. */
  readonly port: number
  /** Address to listen on; default 127.0.0.1. */
  readonly listenHost?: string | undefined
  readonly journal: Journal
  readonly tokens: AccessTokens
  readonly accounts: (clientEmail: string) => RegisteredAccount | undefined
  readonly faults: () => GoogleFaults
}

/** Counts over restarts; objects and classes are those stored. */
export interface GoogleStatistics {
  readonly calls: number
  readonly objects: number
  readonly classes: number
  readonly byStatus: Readonly<Record<string, number>>
  /** Signed callbacks of this run: those that were answered 200, and those that nobody took. */
  readonly callbacks: { readonly taken: number; readonly givenUp: number }
}

/** The running Google stand-in. */
export interface GoogleServer extends AsyncDisposable {
  readonly port: number
  readonly store: ResourceStore
  /** Applies a row of an earlier run. */
  restore(row: GoogleRow): void
  /** Opens a save link as a signed-in person would; resolves to the saved object ids or the refusal. */
  save(url: string): Promise<{ readonly ids: readonly string[] } | { readonly reason: string }>
  /** What Google's page of root keys says: callbacks are signed with keys that lead to them. */
  rootKeys(): object
  statistics(): GoogleStatistics
}

const BODY_BYTES_MAX = 1024 * 1024
const SAVED_OBJECTS_MAX = 50
const FAULT_SEED = 7
const RESOURCE_PATH =
  /^\/walletobjects\/v1\/((?:loyalty|offer|giftCard|generic|eventTicket)(?:Class|Object))(?:\/([^/]+)(?:\/(addMessage))?)?$/
const ISSUER_PATH = /^\/walletobjects\/v1\/issuer\/([0-9]{1,19})$/
const SAVE_PATH = /^\/gp\/v\/save\/([^/]+)$/

interface Answer {
  readonly status: number
  readonly body: object
  /** The connection breaks off instead. */
  readonly isLost?: boolean
}

interface Call {
  /** When it arrived, by Google's clock. */
  readonly atMs: number
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly body: Buffer
}

/** Who calls, or why they may not. */
type Admission = { readonly issuer?: string; readonly refusal?: GoogleProblem }

async function readBody(request: Http2ServerRequest): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > BODY_BYTES_MAX) return undefined
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

function parseJson(body: Buffer): Resource | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

interface Listed {
  readonly kind: ResourceKind
  readonly resource: Resource
}

/** All resources that a save link lists, classes first; undefined when it is malformed. */
function payloadOf(payload: Resource): readonly Listed[] | undefined {
  const listed: Listed[] = []
  const classesFirst = [...resourceKinds].sort((left, right) => Number(isClassKind(right)) - Number(isClassKind(left)))
  for (const kind of classesFirst) {
    const resources = payload[kind.endsWith('Class') ? `${kind}es` : `${kind}s`] ?? []
    if (!Array.isArray(resources) || !resources.every(isObject)) return undefined
    for (const resource of resources) listed.push({ kind, resource: resource as Resource })
  }
  return listed
}

function countAll(store: ResourceStore, which: (kind: ResourceKind) => boolean): number {
  return resourceKinds.filter(which).reduce((sum, kind) => sum + store.count(kind), 0)
}

class Google implements GoogleServer {
  readonly store = new ResourceStore()
  readonly #options: GoogleOptions
  readonly #server: Http2SecureServer
  readonly #limiter = new RateLimiter()
  readonly #random = seededRandom(FAULT_SEED)
  readonly #byStatus: Record<string, number> = {}
  readonly #sockets = new Set<TLSSocket>()
  readonly #signer = new CallbackSigner(Date.now())
  readonly #callbacks: Callbacks
  #calls = 0

  constructor(options: GoogleOptions) {
    this.#options = options
    this.#callbacks = new Callbacks(this.#signer, createSecureContext({ ca: options.authority.webRootPem }))
    const { certPem, keyPem } = options.authority.issueServerCertificate(options.hosts)
    this.#server = createSecureServer({ cert: certPem, key: keyPem, allowHTTP1: true, minVersion: 'TLSv1.2' })
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => breakOff(response))
    })
    this.#server.on('tlsClientError', () => undefined)
    this.#server.on('sessionError', () => undefined)
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

  restore(row: GoogleRow): void {
    this.#count(row.status)
    this.store.restore(row)
  }

  statistics(): GoogleStatistics {
    const { store } = this
    return {
      calls: this.#calls,
      objects: countAll(store, (kind) => !isClassKind(kind)),
      classes: countAll(store, isClassKind),
      byStatus: { ...this.#byStatus },
      callbacks: this.#callbacks.outcomes,
    }
  }

  rootKeys(): object {
    return this.#signer.rootKeys()
  }

  async save(url: string): Promise<{ ids: readonly string[] } | { reason: string }> {
    const token = /\/gp\/v\/save\/([^/?#]+)$/.exec(url)?.[1]
    if (!token) return { reason: 'not a save link' }
    const { status, body } = await this.#save(token)
    if (status === 200) return { ids: (body as { saved: readonly string[] }).saved }
    return { reason: (body as { error: { message: string } }).error.message }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    await this.#callbacks[Symbol.asyncDispose]()
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const body = await readBody(request)
    const path = (request.url ?? '').split('?')[0] ?? ''
    const authorization = request.headers.authorization ?? ''
    const call = { atMs: this.#clockMs(), method: request.method, path, authorization }
    const answer = body
      ? await this.#route({ ...call, body })
      : await this.#refuse(call, 'unknown', '', problem(413, 'uploadTooLarge', 'request is too large'))
    if (answer.isLost) return breakOff(response)
    const text = JSON.stringify(answer.body)
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=UTF-8',
      'content-length': Buffer.byteLength(text),
      ...(answer.status === 405 && { allow: 'GET, POST, PUT, PATCH' }),
    })
    response.end(text)
  }

  async #route(call: Call): Promise<Answer> {
    const { method, path } = call
    if (path === '/token') return this.#token(call)
    const saved = SAVE_PATH.exec(path)
    if (saved && method === 'GET') return this.#save(decodeURIComponent(saved[1] ?? ''))
    const issuer = ISSUER_PATH.exec(path)?.[1]
    if (issuer !== undefined && method === 'GET') return this.#issuer(call, issuer)
    const match = RESOURCE_PATH.exec(path)
    if (!match) return this.#refuse(call, 'unknown', '', problem(404, 'notFound', 'Not found'))
    const [, kind, id, action] = match
    return this.#resource(call, kind as ResourceKind, id === undefined ? undefined : decodeURIComponent(id), action)
  }

  #token(call: Call): Promise<Answer> {
    const nowSeconds = Math.floor(Date.now() / 1000)
    if (call.method !== 'POST') return this.#refuse(call, 'token', '', problem(405, 'methodNotAllowed', 'POST only'))
    const audiences = new Set(this.#options.hosts.map((host) => `https://${host}:${this.port}/token`))
    const form = new URLSearchParams(call.body.toString('utf8'))
    const read = checkTokenRequest(form, audiences, this.#options.accounts, nowSeconds)
    if (!read.ok) {
      const { reason, message } = read.problem
      return this.#log(
        call,
        'token',
        '',
        { status: 400, body: { error: reason, error_description: message } },
        { reason },
      )
    }
    const { clientEmail } = read.account
    const token = this.#options.tokens.issue(clientEmail, nowSeconds)
    const body = { access_token: token, expires_in: TOKEN_LIFE_SECONDS - 1, token_type: 'Bearer' }
    return this.#log(call, 'token', clientEmail, { status: 200, body })
  }

  async #resource(call: Call, kind: ResourceKind, id: string | undefined, action: string | undefined): Promise<Answer> {
    const body = call.body.length > 0 ? parseJson(call.body) : {}
    const target = id ?? (typeof body?.['id'] === 'string' ? body['id'] : '')
    const { issuer, refusal } = this.#admit(call, target)
    if (refusal) return this.#refuse(call, kind, target, refusal, issuer)
    if (!body) return this.#refuse(call, kind, target, badRequest('Invalid JSON payload received'), issuer)
    const faults = this.#faultsFor(issuer)
    if (faults.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.delayMs))
    if (call.method === 'GET' && id !== undefined && !action) return this.#read(call, kind, id, issuer)
    const result = this.#decide(call, kind, id, action, body)
    if (!result.ok) return this.#refuse(call, kind, target, result.problem, issuer)
    if (result.write.notifying && this.#happens(faults.quotaShare))
      return this.#refuse(call, kind, target, quotaExceeded(kind, target), issuer)
    const isMessage = action === 'addMessage'
    const answer = await this.#commit(call, kind, result.write, isMessage, issuer)
    return isMessage && this.#happens(faults.loseAnswerShare) ? { ...answer, isLost: true } : answer
  }

  /** An account sees the issuer that it belongs to. */
  #issuer(call: Call, id: string): Promise<Answer> {
    const { issuer, refusal } = this.#admit(call, `${id}.issuer`)
    if (refusal) return this.#refuse(call, 'issuer', id, refusal, issuer)
    return this.#log(call, 'issuer', id, { status: 200, body: { issuerId: id, name: `Issuer ${id}` } }, { issuer })
  }

  #decide(
    { method, atMs }: Call,
    kind: ResourceKind,
    id: string | undefined,
    action: string | undefined,
    body: Resource,
  ): WriteResult {
    if (id === undefined && method === 'POST') return this.store.insert(kind, body)
    if (id !== undefined && action && method === 'POST') return this.store.addMessage(kind, id, body, atMs)
    if (id !== undefined && !action && method === 'PATCH') return this.store.patch(kind, id, body, atMs)
    if (id !== undefined && !action && method === 'PUT') return this.store.replace(kind, id, body, atMs)
    return {
      ok: false,
      problem: problem(405, 'methodNotAllowed', `${method} is not supported here: nothing can be deleted`),
    }
  }

  /** Who calls, whether the issuer is theirs, and whether the issuer's rate allows it. */
  #admit({ authorization }: Call, id: string): Admission {
    const { tokens, accounts, faults } = this.#options
    const token = /^Bearer (\S+)$/.exec(authorization)?.[1]
    const email = token && tokens.read(token, Math.floor(Date.now() / 1000))
    const issuer = (email ? accounts(email) : undefined)?.issuerId
    if (issuer === undefined)
      return { refusal: problem(401, 'authError', 'Request had invalid authentication credentials.') }
    if (!this.#limiter.take(issuer, faults().googleRps, nowMs()))
      return { issuer, refusal: problem(429, 'rateLimitExceeded', 'Rate Limit Exceeded') }
    if (this.#happens(this.#faultsFor(issuer).failShare))
      return { issuer, refusal: problem(503, 'backendError', 'Backend Error') }
    if (issuerOf(id) === undefined) return { issuer, refusal: badRequest('Invalid resource ID') }
    if (issuerOf(id) !== issuer) return { issuer, refusal: problem(403, 'permissionDenied', 'Permission denied.') }
    return { issuer }
  }

  #faultsFor(
    issuer: string | undefined,
  ): Readonly<Record<'failShare' | 'quotaShare' | 'loseAnswerShare' | 'delayMs', number>> {
    const faults = this.#options.faults()
    const areMeant = faults.onlyIssuer === '' || faults.onlyIssuer === issuer
    return areMeant ? faults : { failShare: 0, quotaShare: 0, loseAnswerShare: 0, delayMs: 0 }
  }

  #happens(share: number): boolean {
    return share > 0 && this.#random() < share
  }

  #clockMs(): number {
    return nowMs() + this.#options.faults().clockAheadMs
  }

  #read(call: Call, kind: ResourceKind, id: string, issuer: string | undefined): Promise<Answer> {
    const resource = this.store.get(kind, id)
    const missing = problem(404, 'resourceNotFound', `${kind} ${id} not found`)
    if (!resource) return this.#refuse(call, kind, id, missing, issuer)
    return this.#log(call, kind, id, { status: 200, body: resource }, { issuer })
  }

  #commit(call: Call, kind: string, write: Write, wrapped: boolean, issuer?: string): Promise<Answer> {
    const { resource, notifying, id } = write
    this.store.commit(write, call.atMs)
    const notified = notifying ? this.store.holders(write.kind, id) : undefined
    const body = wrapped ? { resource } : resource
    const more = { issuer, resource, ...(notified !== undefined && { notified, notifying }) }
    return this.#log(call, kind, id, { status: 200, body }, more)
  }

  async #save(token: string): Promise<Answer> {
    const atMs = this.#clockMs()
    const call: Call = { atMs, method: 'GET', path: '/gp/v/save', authorization: '', body: Buffer.alloc(0) }
    const read = checkSaveToken(token, this.#options.accounts, Math.floor(Date.now() / 1000))
    if (!read.ok) return this.#refuse(call, 'save', '', read.problem)
    const resources = payloadOf(read.claims['payload'] as Resource)
    const objects = resources?.filter(({ kind }) => !isClassKind(kind)) ?? []
    if (resources === undefined || objects.length === 0)
      return this.#refuse(call, 'save', '', badRequest('payload has no objects'))
    if (resources.length > SAVED_OBJECTS_MAX) return this.#refuse(call, 'save', '', badRequest('payload is too long'))
    for (const { resource } of resources) {
      if (issuerOf(resource['id']) === read.account.issuerId) continue
      return this.#refuse(call, 'save', '', problem(403, 'permissionDenied', 'an object is of another issuer'))
    }
    return this.#saveAll(call, resources)
  }

  /** Google calls back where the class of the saved card says so. */
  #tellIssuer(kind: ResourceKind, { id, classId }: Resource): void {
    const issuer = issuerOf(id)
    const options = this.store.get(classKindOf(kind), String(classId))?.['callbackOptions']
    const url = isObject(options) ? options['url'] : undefined
    if (issuer === undefined || typeof url !== 'string') return
    this.#callbacks.tell(url, { issuer, classId: String(classId), objectId: String(id), eventType: 'save' })
  }

  async #saveAll(call: Call, resources: readonly Listed[]): Promise<Answer> {
    const saved: string[] = []
    for (const { kind, resource } of resources) {
      const id = String(resource['id'])
      if (isClassKind(kind)) {
        if (this.store.get(kind, id)) continue
        const result = this.store.insert(kind, resource)
        if (!result.ok) return this.#refuse(call, 'save', id, result.problem)
        await this.#commit(call, kind, result.write, false)
        continue
      }
      const result = this.store.save(objectKindOf(kind), resource)
      if (!result.ok) return this.#refuse(call, 'save', id, result.problem)
      await this.#commit(call, 'save', result.write, false)
      this.#tellIssuer(kind, result.write.resource)
      saved.push(id)
    }
    return { status: 200, body: { saved } }
  }

  #refuse(
    call: Omit<Call, 'body'>,
    kind: string,
    id: string,
    refusal: GoogleProblem,
    issuer?: string,
  ): Promise<Answer> {
    const { status, reason } = refusal
    return this.#log(call, kind, id, { status, body: problemBody(refusal) }, { issuer, reason })
  }

  #count(status: number): void {
    this.#calls += 1
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1
  }

  /** Answers only after the journal holds the call. */
  #log(
    { atMs, method, path }: Omit<Call, 'body'>,
    kind: string,
    id: string,
    answer: Answer,
    more: Pick<GoogleRow, 'reason' | 'resource' | 'notified' | 'notifying'> & {
      readonly issuer?: string | undefined
    } = {},
  ): Promise<Answer> {
    const { status } = answer
    const { issuer, ...rest } = more
    this.#count(status)
    const row: GoogleRow = {
      at: atMs,
      ...(issuer !== undefined && { issuer }),
      method,
      path,
      kind,
      id,
      status,
      ...rest,
    }
    return new Promise((resolve) => this.#options.journal.append(row, () => resolve(answer)))
  }
}

/** Ends the connection of a request, of HTTP/2 its stream, without an answer. */
function breakOff(response: Http2ServerResponse): void {
  // An answer in HTTP/1.1 has no stream, whatever its type says.
  const stream = response.stream as Http2ServerResponse['stream'] | undefined
  if (stream) stream.destroy()
  else response.socket?.destroy()
}

/** Starts the Google stand-in on 127.0.0.1, or where it is told to. */
export async function startGoogle(options: GoogleOptions): Promise<GoogleServer> {
  const server = new Google(options)
  await server.listen()
  return server
}
