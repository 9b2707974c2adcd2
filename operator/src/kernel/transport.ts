import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import type { KubeConfig } from '@kubernetes/client-node'
import { fromAnswer, fromTransport, isKubeError, KubeError } from './errors.ts'
import type { KubeMetrics } from './metrics.ts'

/** One request to the API server. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root of the server, such as `/api/v1/namespaces/default/secrets`. */
  readonly path: string
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Default `application/json`. */
  readonly contentType?: string
  /** Until the whole answer (of a stream: its header) is there; default `requestTimeoutMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** How to reach the API server. */
export interface TransportOptions {
  /**
   * Reads the configuration; called at the start and again after each 401, because tokens and certificates of a
   * running pod are replaced.
   */
  readonly loadConfig: () => KubeConfig
  readonly metrics: KubeMetrics
}

/** Sends requests; throws KubeError and nothing else. Disposing closes its idle connections. */
export interface KubeTransport extends Disposable {
  /** The parsed JSON of the answer; the caller names its type, which the API server's schema vouches for. */
  send<T>(request: KubeRequest): Promise<T>
  /** The answer of a watch, once its header has come; whoever called must read or destroy it. */
  openStream(request: KubeRequest): Promise<IncomingMessage>
}

/** Deadline of a request that names none. */
export const requestTimeoutMs = 30_000
/** Largest answer: 500 objects (a page of a list) of the largest size that etcd stores would be more; none are. */
const answerBytesMax = 256 * 1024 * 1024
/** Idle connections kept for reuse. */
const idleSocketsMax = 8
/** First probe on a silent connection: below the 60 s after which common load balancers forget one. */
const keepAliveMs = 30_000

/**
 * The client library reads the configuration and signs in; connections are our own, because its generated clients
 * open a new pool, with a new TLS handshake, for every request (release 2.0.1).
 */
export function connectKube(options: TransportOptions): KubeTransport {
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: keepAliveMs, maxFreeSockets: idleSocketsMax })
  let config = options.loadConfig()

  async function open(request: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await openOnce(config, agent, request, signal)
    } catch (error) {
      if (!isKubeError(error, 'unauthorized')) throw error
      config = options.loadConfig()
      return openOnce(config, agent, request, signal)
    }
  }

  async function counted<T>(request: KubeRequest, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const count = (code: string): void => {
      options.metrics.requests.inc({ verb: request.method, code })
      options.metrics.requestSeconds.observe({ verb: request.method }, (performance.now() - startedAt) / 1000)
    }
    try {
      const result = await work()
      count('ok')
      return result
    } catch (error) {
      const known = fromTransport(error)
      count(known.code)
      throw known
    }
  }

  return {
    send: (request) =>
      counted(request, async () => {
        const timeout = AbortSignal.timeout(request.timeoutMs ?? requestTimeoutMs)
        const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal])
        return parseJson(await readBody(await open(request, signal), signal))
      }),
    openStream: (request) =>
      counted(request, async () => {
        const timeout = new AbortController()
        const timeoutMs = request.timeoutMs ?? requestTimeoutMs
        const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
        const signal = request.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, request.signal])
        try {
          return await open(request, signal)
        } finally {
          clearTimeout(timer)
        }
      }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** Sends one request; resolves with the answer's header when that says 2xx. */
async function openOnce(
  config: KubeConfig,
  agent: Agent,
  request: KubeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new KubeError('unreachable', 'the kubeconfig names no current cluster')
  const url = new URL(cluster.server.replace(/\/$/, '') + request.path)
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  const signedIn: RequestOptions = {}
  await config.applyToHTTPSOptions(signedIn)
  const isTls = url.protocol === 'https:'
  const { agent: proxyAgent, headers, ...tls } = signedIn
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
  const options: RequestOptions = {
    ...tls,
    ...(cluster.proxyUrl === undefined && isTls ? { agent } : { agent: proxyAgent }),
    method: request.method,
    signal,
    headers: {
      ...trimmed(headers),
      accept: 'application/json',
      'user-agent': 'stampede-operator',
      ...(body === undefined
        ? {}
        : { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length }),
    },
  }
  const answer = await exchange(url, options, body, isTls ? httpsRequest : httpRequest, signal)
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return answer
  throw fromAnswer(status, await readBody(answer, signal), answer.headers['retry-after'])
}

function exchange(
  url: URL,
  options: RequestOptions,
  body: Buffer | undefined,
  request: typeof httpsRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, resolve)
    sent.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    sent.end(body)
  })
}

/** A token file usually ends in a newline, which no header may hold. */
function trimmed(headers: RequestOptions['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]))
}

async function readBody(answer: IncomingMessage, signal: AbortSignal): Promise<string> {
  let bytes = 0
  const count = (part: Buffer): void => {
    bytes += part.length
    if (bytes > answerBytesMax) answer.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`))
  }
  try {
    answer.on('data', count)
    return await text(answer)
  } catch (error) {
    throw fromTransport(signal.aborted ? signal.reason : error)
  }
}

function parseJson<T>(body: string): T {
  try {
    return JSON.parse(body) as T
  } catch (error) {
    throw new KubeError('serverError', 'the answer is no JSON', { cause: error })
  }
}
