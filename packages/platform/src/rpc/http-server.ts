import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { ConfigError } from '../config.ts'
import { errorTable, invalidArgument, itemError, StampedeError, unavailable } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { PlatformConfig } from '../platform-config.ts'
import type { Binding } from './binding.ts'
import { MAX_MESSAGE_BYTES } from './grpc-server.ts'
import { readJsonRequest, writeJsonResponse } from './json.ts'
import { buildOpenApi } from './openapi.ts'
import { type Admission, MAX_DEADLINE_MS, MAX_STREAM_MS, type Pipeline } from './pipeline.ts'
import { compileRoutes, matchRoute, type RouteMatch } from './routes.ts'

const MAX_HEADER_BYTES = 16_384
const MAX_CONNECTIONS = 10_000
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEPALIVE_TIMEOUT_MS = 65_000
const PREFLIGHT_SECONDS = 600

/** What the HTTP side needs. */
export interface HttpServerOptions {
  /** Name of the service, title of its OpenAPI document. */
  readonly name: string
  readonly bindings: readonly Binding[]
  /** 0 takes any free port. */
  readonly port: number
  readonly platform: Pick<PlatformConfig, 'allowedOrigins' | 'listenHost' | 'tls' | 'httpTls'>
  readonly pipeline: Pipeline
  readonly metrics: Metrics
  /** Answer of /ready. */
  readonly ready: () => boolean
}

/** A listening HTTP server. */
export interface HttpServer {
  readonly port: number
  /** Lets running calls end, at most this long; then cuts them. */
  stop(graceMs: number): Promise<void>
}

/** Starts the HTTP side: JSON mapping of all methods, /openapi.json, /metrics, /live, /ready. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { platform } = options
  const server = await createListener(platform, createHandler(options))
  server.maxConnections = MAX_CONNECTIONS
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.keepAliveTimeout = KEEPALIVE_TIMEOUT_MS
  const port = await listen(server, platform.listenHost, options.port)
  let isStopping = false
  server.on('request', (_request, response) => {
    // Node closes what is idle when it stops listening; what becomes idle later is ours to close.
    response.once('close', () => isStopping && setImmediate(() => server.closeIdleConnections()))
  })
  return {
    port,
    stop: (graceMs) => {
      isStopping = true
      return stop(server, graceMs)
    },
  }
}

async function createListener(
  { tls, httpTls }: HttpServerOptions['platform'],
  handler: RequestListener,
): Promise<Server> {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES }
  if (!httpTls) return createServer(limits, handler)
  if (tls?.cert === undefined || tls.key === undefined)
    throw new ConfigError('STAMPEDE_HTTP_TLS needs STAMPEDE_TLS_CERT and STAMPEDE_TLS_KEY')
  const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)])
  return createTlsServer({ ...limits, cert, key }, handler)
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(unavailable(`cannot listen on ${host}:${port}`, error)))
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

function createHandler(options: HttpServerOptions): RequestListener {
  const { name, bindings, platform, pipeline, metrics, ready } = options
  const routes = compileRoutes(bindings)
  const openApi = JSON.stringify(buildOpenApi(name, bindings))
  const isLocal = ['127.0.0.1', 'localhost', '::1'].includes(platform.listenHost)

  async function servePage(path: string, response: ServerResponse): Promise<boolean> {
    if (path === '/live') send(response, 200, 'application/json', '{"live":true}')
    else if (path === '/ready') send(response, ready() ? 200 : 503, 'application/json', `{"ready":${ready()}}`)
    else if (path === '/openapi.json') send(response, 200, 'application/json', openApi)
    else if (path === '/metrics') send(response, 200, metrics.registry.contentType, await metrics.registry.metrics())
    else return false
    return true
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page that makes a browser resolve its own name to this address must not get through.
    if (isLocal && !isLocalHost(request.headers.host))
      throw new StampedeError('PERMISSION_DENIED', 'this address answers to local names only')
    allowOrigin(request, response, platform.allowedOrigins)
    const { pathname, searchParams } = readUrl(request.url ?? '/')
    const verb = request.method ?? 'GET'
    if (verb === 'OPTIONS') return send(response, 204, undefined, '')
    if (verb === 'GET' && (await servePage(pathname, response))) return
    const match = matchRoute(routes, verb, pathname)
    if (match === undefined) throw new StampedeError('NOT_FOUND', `nothing answers ${verb} here; see /openapi.json`)
    await serveCall(match, searchParams, request, response, pipeline)
  }

  return (request, response) => {
    serve(request, response).catch((reason: unknown) => fail(response, StampedeError.from(reason)))
  }
}

/** The path stays percent-encoded: an encoded slash belongs to a value. */
function readUrl(target: string): { pathname: string; searchParams: URLSearchParams } {
  const at = target.indexOf('?')
  const pathname = at === -1 ? target : target.slice(0, at)
  return { pathname, searchParams: new URLSearchParams(at === -1 ? '' : target.slice(at + 1)) }
}

function isLocalHost(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)
}

function allowOrigin(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader('vary', 'origin')
  if (!allowed.includes(origin)) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-methods', 'GET, PUT, POST, DELETE, PATCH')
  response.setHeader('access-control-allow-headers', 'authorization, content-type')
  response.setHeader('access-control-max-age', String(PREFLIGHT_SECONDS))
}

async function serveCall(
  match: RouteMatch,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
  pipeline: Pipeline,
): Promise<void> {
  const { method } = match.route
  const admission = admit(request, response, method.info.isStream, pipeline)
  const readRequest = async (): Promise<object> => readJsonRequest(match, query, await readBody(request))
  if (method.info.isStream) return await serveStream(match, readRequest, response, admission)
  const answer = await admission.unary(method, readRequest)
  send(response, 200, 'application/json', JSON.stringify(writeJsonResponse(method, answer)))
}

function admit(request: IncomingMessage, response: ServerResponse, isStream: boolean, pipeline: Pipeline): Admission {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new StampedeError('CANCELLED'))
  })
  const { authorization, traceparent, tracestate } = request.headers
  return pipeline.admit({
    transport: 'http',
    authorization,
    // HTTP has no deadline: the caller hangs up instead.
    timeoutMs: isStream ? MAX_STREAM_MS : MAX_DEADLINE_MS,
    signal: gone.signal,
    trace: typeof traceparent === 'string' ? { traceparent, tracestate: String(tracestate ?? '') } : {},
  })
}

/** Writes a stream as lines of JSON: `{"result":...}`, or `{"error":...}` as the last one. */
async function serveStream(
  { route: { method } }: RouteMatch,
  readRequest: () => Promise<object>,
  response: ServerResponse,
  admission: Admission,
): Promise<void> {
  const write = async (item: unknown): Promise<void> => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const line = `${JSON.stringify({ result: writeJsonResponse(method, item) })}\n`
    if (!response.write(line)) await new Promise<void>((resolve) => response.once('drain', resolve))
  }
  await admission.stream(method, readRequest, write)
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.end()
}

async function readBody(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type']
  const tooLarge = invalidArgument('body', `must have at most ${MAX_MESSAGE_BYTES} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > MAX_MESSAGE_BYTES) throw tooLarge
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_MESSAGE_BYTES) throw tooLarge
    chunks.push(chunk)
  }
  if (size > 0 && type !== undefined && !/^application\/json\s*(;|$)/i.test(type))
    throw invalidArgument('body', 'must be application/json')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw invalidArgument('body', 'must be UTF-8')
  }
}

function send(response: ServerResponse, status: number, type: string | undefined, body: string): void {
  if (type !== undefined) response.setHeader('content-type', type)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  response.writeHead(status).end(body)
}

function fail(response: ServerResponse, error: StampedeError): void {
  if (response.destroyed) return
  const body = JSON.stringify({ error: itemError(error) })
  if (response.headersSent) {
    response.end(`${body}\n`)
    return
  }
  // What is left of a refused body is not read: the connection ends with the answer.
  if (!response.req.complete) response.setHeader('connection', 'close')
  send(response, errorTable[error.code].httpStatus, 'application/json', body)
}
