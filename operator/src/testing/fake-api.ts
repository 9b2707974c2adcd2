import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { KubeConfig } from '@kubernetes/client-node'
import { KubeError } from '../kernel/errors.ts'
import { FakeObjects, failure, matches, type StoredObject } from './fake-objects.ts'
import { FakeWatches } from './fake-watches.ts'

/** What happens to a request instead of its answer. */
export interface Fault {
  /** Which requests; default all. */
  readonly when?: (method: string, url: URL) => boolean
  /** How many of them; default 1. */
  readonly times?: number
  /** Status of the answer; 0 = none ever comes, -1 = the connection is cut. */
  readonly status: number
  readonly retryAfterSeconds?: number
}

/**
 * A tiny API server in this process that can be as nasty as the real one gets: it fails, stalls, forgets, dies and
 * comes back on demand. Its ordinary behaviour is checked by the same contract tests as the real server's.
 */
export interface FakeApi extends AsyncDisposable {
  readonly url: string
  readonly config: KubeConfig
  readonly objects: FakeObjects
  readonly watches: FakeWatches
  /** Requests so far: method, path and query. */
  readonly requests: readonly string[]
  /** The token that requests must carry; undefined = none. */
  token: string | undefined
  /** Arms a fault. Those armed first are met first. */
  fail(fault: Fault): void
  /** Cuts all connections and listens no more. */
  kill(): Promise<void>
  /** Listens again on the same port. */
  revive(): Promise<void>
}

/** Starts a fake API server without objects. */
export async function startFakeApi(): Promise<FakeApi> {
  const api = new FakeApiServer()
  await api.revive()
  return api
}

class FakeApiServer implements FakeApi {
  readonly objects = new FakeObjects()
  readonly watches = new FakeWatches(this.objects)
  readonly requests: string[] = []
  token: string | undefined
  readonly #faults: { fault: Fault; left: number }[] = []
  #server: Server | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get config(): KubeConfig {
    const config = new KubeConfig()
    config.loadFromClusterAndUser(
      { name: 'fake', server: this.url, skipTLSVerify: true },
      { name: 'fake', ...(this.token === undefined ? {} : { token: this.token }) },
    )
    return config
  }

  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 })
  }

  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  async revive(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const method = request.method ?? 'GET'
    this.requests.push(`${method} ${url.pathname}${url.search}`)
    const fault = this.#nextFault(method, url)
    if (fault !== undefined && fault.status <= 0) {
      if (fault.status < 0) request.socket.destroy()
      return
    }
    try {
      if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
        throw failure(401, 'Unauthorized', 'Unauthorized')
      }
      if (fault !== undefined) throw failure(fault.status, 'Armed', 'an armed fault')
      const body = await text(request)
      if (method === 'GET' && url.searchParams.get('watch') === 'true') this.watches.open(url, response)
      else send(response, 200, this.#result(method, url, request.headers['content-type'], body))
    } catch (error) {
      sendFailure(response, error, fault?.retryAfterSeconds)
    }
  }

  #nextFault(method: string, url: URL): Fault | undefined {
    const met = this.#faults.find(({ fault, left }) => left > 0 && (fault.when?.(method, url) ?? true))
    if (met === undefined) return undefined
    met.left -= 1
    return met.fault
  }

  #result(method: string, url: URL, contentType: string | undefined, body: string): unknown {
    const { path, subresource, isCollection } = parsePath(url.pathname)
    if (isCollection) return method === 'GET' ? this.#list(path, url) : this.objects.create(path, parse(body))
    if (method === 'GET') return this.objects.get(path)
    if (method === 'DELETE') return this.objects.delete(path)
    if (method === 'PUT') return this.objects.update(path, parse(body), subresource)
    const isApply = contentType?.startsWith('application/apply-patch') ?? false
    return this.#patch(path, parse(body), subresource, isApply)
  }

  /** A merge patch; an apply is treated as one, except that it creates. Ownership of fields is left to the real one. */
  #patch(path: string, patch: StoredObject, subresource: string, isApply: boolean): StoredObject {
    const isMissing =
      isApply &&
      !this.objects
        .list(path.slice(0, path.lastIndexOf('/')))
        .some(({ metadata }) => path.endsWith(`/${metadata.name}`))
    if (isMissing) return this.objects.create(path.slice(0, path.lastIndexOf('/')), patch)
    const before = this.objects.get(path)
    const { resourceVersion: _own, ...metadata } = before.metadata
    return this.objects.update(path, mergePatch({ ...before, metadata }, patch) as StoredObject, subresource)
  }

  #list(collection: string, url: URL): unknown {
    const [version = this.objects.version, offset = 0] = (url.searchParams.get('continue') ?? '')
      .split(':')
      .flatMap((part) => (part === '' ? [] : [Number(part)]))
    if (version < this.objects.compacted) throw failure(410, 'Expired', 'the continue token is too old')
    const limit = Number(url.searchParams.get('limit') ?? '0') || Number.POSITIVE_INFINITY
    const selector = url.searchParams.get('labelSelector')
    const all = this.objects.list(collection).filter((object) => matches(object, selector))
    const rest = all.length > offset + limit ? { continue: `${version}:${offset + limit}` } : {}
    return {
      kind: 'List',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(version), ...rest },
      items: all.slice(offset, offset + limit).map(({ apiVersion: _version, kind: _kind, ...item }) => item),
    }
  }
}

function parsePath(pathname: string) {
  const parts = pathname.split('/').slice(1)
  // api/v1 or apis/group/version, then perhaps namespaces/name.
  const root = parts[0] === 'api' ? 2 : 3
  const scope = parts[root] === 'namespaces' && parts.length > root + 2 ? root + 2 : root
  const [, name, subresource = ''] = parts.slice(scope)
  const end = name === undefined ? scope + 1 : scope + 2
  return { path: `/${parts.slice(0, end).join('/')}`, isCollection: name === undefined, subresource }
}

function parse(body: string): StoredObject {
  return JSON.parse(body) as StoredObject
}

/** RFC 7396. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

function send(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function sendFailure(response: ServerResponse, error: unknown, retryAfterSeconds?: number): void {
  const known = error instanceof KubeError ? error : failure(500, 'InternalError', String(error))
  const reasons: Readonly<Record<string, string>> = { alreadyExists: 'AlreadyExists' }
  const body = { kind: 'Status', code: known.status, reason: reasons[known.code] ?? known.code, message: known.message }
  send(response, known.status, body, retryAfterSeconds === undefined ? {} : { 'retry-after': retryAfterSeconds })
}
