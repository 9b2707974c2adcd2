import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { StampedeError } from '@stampede/platform'
import type { Context } from '../context.ts'
import { OverloadedError } from '../sign-queue.ts'
import { type Answer, empty, overloaded } from './answer.ts'
import { dispatch } from './router.ts'

/** How long a phone may take to send its request, in milliseconds. */
const REQUEST_MS = 15_000
const HEADERS_MS = 10_000
/** How long we may take to answer. */
const ANSWER_MS = 20_000
/** A phone asks for the list and at once for each pass: its connection is worth keeping, but not for long. */
const KEEP_ALIVE_MS = 15_000
/** Requests of one connection; a phone needs a handful. */
const MAX_REQUESTS_PER_CONNECTION = 1_000
const MAX_CONNECTIONS = 50_000
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
}

/** Starts the PassKit web service over TLS. Session tickets are on: a phone's next handshake is far cheaper. */
export async function startWebServer(options: WebOptions, context: () => Context): Promise<WebServer> {
  const server = createServer({
    cert: options.certPem,
    key: options.keyPem,
    minVersion: 'TLSv1.2',
    requestTimeout: REQUEST_MS,
    headersTimeout: HEADERS_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: 16 * 1024,
  })
  server.maxConnections = MAX_CONNECTIONS
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
  server.on('request', (request, response) => {
    serve(context(), request, response).catch((error: unknown) => {
      context().logger.warn({ err: error }, 'an answer could not be sent')
      response.destroy()
    })
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(options.port, options.host, resolve)
  await promise
  const address = server.address() as AddressInfo
  return { port: address.port, [Symbol.asyncDispose]: () => stop(server) }
}

async function stop(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), STOP_MS)
  await promise
  clearTimeout(timer)
}

async function serve(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const started = performance.now()
  const { endpoint, answer } = await answerInTime(context, request)
  const body = answer.body ?? Buffer.alloc(0)
  const hasBody = answer.status !== 204 && answer.status !== 304
  response.writeHead(answer.status, { ...answer.headers, ...(hasBody ? { 'Content-Length': body.length } : {}) })
  // 'finish' says that the last byte went to the system: what a phone aborted before that is no fetch.
  if (answer.sent !== undefined) response.once('finish', answer.sent)
  // A body that nobody read would be taken for the next request of the connection.
  if (!request.readableEnded) request.resume()
  response.end(hasBody && request.method !== 'HEAD' ? body : undefined)
  context.meters.answers.inc({ endpoint, status: String(answer.status) })
  context.meters.answerSeconds.observe({ endpoint }, (performance.now() - started) / 1000)
}

async function answerInTime(context: Context, request: IncomingMessage): ReturnType<typeof dispatch> {
  const late = Promise.withResolvers<Awaited<ReturnType<typeof dispatch>>>()
  const timer = setTimeout(() => late.resolve({ endpoint: 'other', answer: overloaded }), ANSWER_MS)
  try {
    return await Promise.race([dispatch(context, request), late.promise])
  } catch (error) {
    return { endpoint: 'other', answer: failureAnswer(context, error) }
  } finally {
    clearTimeout(timer)
  }
}

function failureAnswer(context: Context, error: unknown): Answer {
  if (error instanceof OverloadedError) return overloaded
  const known = StampedeError.from(error)
  // No design or no certificate yet is for us to mend, not for the phone: it shall come again.
  if (known.retryable || known.code === 'FAILED_PRECONDITION') return overloaded
  context.logger.error({ err: error }, 'a request of a phone failed')
  return empty(500)
}
