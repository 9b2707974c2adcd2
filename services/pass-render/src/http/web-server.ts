import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Server as NetServer } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { StampedeError } from '@stampede/platform'
import type { Context } from '../context.ts'
import { OverloadedError, UnwantedError } from '../sign-queue.ts'
import { LookUpsFullError } from '../store/look-ups.ts'
import { Admission } from './admission.ts'
import { type Answer, empty, missing, overloaded, retryAfter, unready } from './answer.ts'
import { Deadlines } from './deadlines.ts'
import { openDoors } from './doors.ts'
import { type Endpoint, route } from './router.ts'

/** How long a phone may take for its handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000
/** How long a phone may take to send its request, in milliseconds. */
const REQUEST_MS = 15_000
const HEADERS_MS = 10_000
/** How long we may take to answer. */
const ANSWER_MS = 20_000
/** A phone asks for the list and at once for each pass: its connection is worth keeping, but not for long. */
const KEEP_ALIVE_MS = 15_000
/** How long a phone may take to hear that it shall come again. */
const REFUSAL_MS = 5_000
/** Requests of one connection; a phone needs a handful. */
const MAX_REQUESTS_PER_CONNECTION = 1_000
/** The signatures may be so far behind before new phones have to wait, in seconds. */
const BUSY_SECONDS = 0.25
/** How long a stop waits for answers under way. */
const STOP_MS = 10_000

/** What the web service listens with. */
export interface WebOptions {
  readonly port: number
  readonly host: string
  readonly certPem: string
  readonly keyPem: string
}

/** The running PassKit web service. */
export interface WebServer extends AsyncDisposable {
  readonly port: number
  /** Connections that wait for their handshake. */
  readonly waiting: number
}

/** Starts the PassKit web service over TLS. Session tickets are on: a phone's next handshake is far cheaper. */
export async function startWebServer(options: WebOptions, context: () => Context): Promise<WebServer> {
  const tls = {
    cert: options.certPem,
    key: options.keyPem,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_MS,
  } as const
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS, keepAliveTimeout: KEEP_ALIVE_MS }
  const server = createServer({ ...tls, ...limits, maxHeaderSize: 16 * 1024 })
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
  const deadlines = new Deadlines(ANSWER_MS)
  server.on('request', (request, response) => serve(context(), deadlines, request, response))
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!socket.isSessionReused()) context().capacity.shookHands()
  })
  const admission = createAdmission(server, createRefusals(tls), context)
  const { port, doors } = await openDoors(server, options, (socket) => admission.arrive(socket))
  return {
    port,
    get waiting() {
      return admission.length
    },
    [Symbol.asyncDispose]: async () => {
      admission[Symbol.dispose]()
      await stop(server, doors)
      deadlines[Symbol.dispose]()
    },
  }
}

/** Puts admission between a new connection and the listener that begins its handshake. */
function createAdmission(server: Server, refusals: TlsServer, context: () => Context): Admission {
  const begin = server.listeners('connection')
  server.removeAllListeners('connection')
  return new Admission({
    admit: (socket) => {
      for (const listener of begin) Reflect.apply(listener, server, [socket])
    },
    refuse: (socket) => refusals.emit('connection', socket),
    isBusy: () => context().signQueue.length > context().capacity.perSecond * BUSY_SECONDS,
    perSecond: () => context().capacity.perSecond,
    meters: context().meters,
  })
}

/** Answers whatever a phone asks with 503: never listens, is handed its connections. */
function createRefusals(tls: Parameters<typeof createTlsServer>[0]): TlsServer {
  return createTlsServer(tls, (socket) => {
    socket.setTimeout(REFUSAL_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    const head = ['HTTP/1.1 503 Service Unavailable', `Retry-After: ${retryAfter()}`, 'Content-Length: 0']
    socket.once('data', () => socket.end([...head, 'Connection: close', '', ''].join('\r\n')))
  })
}

async function stop(server: Server, doors: readonly NetServer[]): Promise<void> {
  const closing = doors.map((door) => new Promise((resolve) => door.close(resolve)))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), STOP_MS)
  await Promise.all(closing)
  clearTimeout(timer)
}

function serve(context: Context, deadlines: Deadlines, request: IncomingMessage, response: ServerResponse): void {
  const startedAtMs = performance.now()
  const found = route(request.url ?? '')
  const endpoint = found?.endpoint ?? 'other'
  let isAnswered = false
  const finish = (answer: Answer): void => {
    if (isAnswered) return
    isAnswered = true
    deadlines.end(deadline)
    send(context, request, response, answer)
    context.meters.answered(endpoint, answer.status, (performance.now() - startedAtMs) / 1_000)
    context.capacity.answered()
  }
  const deadline = deadlines.begin(() => finish(overloaded()))
  if (found === undefined) {
    finish(missing)
    return
  }
  const handler = Object.hasOwn(found.methods, request.method ?? '') ? found.methods[request.method ?? ''] : undefined
  if (handler === undefined) {
    finish(empty(405, { Allow: Object.keys(found.methods).join(', ') }))
    return
  }
  handler(context, request).then(finish, (error: unknown) => finish(failureAnswer(context, endpoint, error)))
}

function send(context: Context, request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, headers, body = [] } = answer
  const hasBody = status !== 204 && status !== 304
  const length = body.reduce((sum, part) => sum + part.length, 0)
  // 'finish' says that the last byte went to the system: what a phone aborted before that is no fetch.
  if (answer.sent !== undefined) response.once('finish', answer.sent)
  try {
    response.writeHead(status, hasBody ? { ...headers, 'Content-Length': length } : { ...headers })
    if (!hasBody || request.method === 'HEAD') {
      response.end()
      return
    }
    // Together: head and parts leave in one write. After a last part of its own, end() would write once more.
    response.cork()
    for (const part of body.slice(0, -1)) response.write(part)
    response.end(body.at(-1))
  } catch (error) {
    context.logger.warn({ err: error }, 'an answer could not be sent')
    response.destroy()
  }
}

function failureAnswer(context: Context, endpoint: Endpoint, error: unknown): Answer {
  if (error instanceof OverloadedError || error instanceof LookUpsFullError) {
    context.meters.overloads.inc({ endpoint })
    return overloaded()
  }
  if (error instanceof UnwantedError) return overloaded()
  const known = StampedeError.from(error)
  // No design or no certificate yet is for us to mend, not for the phone: it shall come again.
  if (known.code === 'FAILED_PRECONDITION') return unready()
  if (known.retryable) return overloaded()
  context.logger.error({ err: error }, 'a request of a phone failed')
  return empty(500)
}
