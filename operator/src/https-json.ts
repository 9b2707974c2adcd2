import { Agent, type RequestOptions, request } from 'node:https'
import { TemporaryError } from './kernel/outcome.ts'

/** One call. */
export interface JsonCall {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer, whatever its status. */
export interface JsonAnswer {
  readonly status: number
  /** Undefined when the body is empty or no JSON. */
  readonly body: unknown
  /** What Retry-After says, ms. */
  readonly retryAfterMs: number | undefined
}

/** Calls other companies' JSON interfaces over HTTPS; disposing closes its connections. */
export interface HttpsJson extends Disposable {
  /** Throws TemporaryError when no whole answer comes within 30 s. */
  call(call: JsonCall): Promise<JsonAnswer>
}

const DEADLINE_MS = 30_000
const ANSWER_BYTES_MAX = 8 * 1024 * 1024
const SOCKETS_MAX = 8
const RETRY_AFTER_MAX_SECONDS = 3600
/** Where there is no answer at all, the work queue's back-off is for the next try. */
const NO_ANSWER_DELAY_MS = 0

/** `caPem`: what servers' certificates are checked against; undefined for the system's authorities. */
export function createHttpsJson(caPem: string | undefined): HttpsJson {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, ...(caPem !== undefined && { ca: caPem }) })
  return {
    call: (call) => send(call, agent),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

async function send({ method, url, headers = {}, body }: JsonCall, agent: Agent): Promise<JsonAnswer> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  try {
    return await exchange(url, { method, agent, signal, headers: { ...headers, ...length } }, body)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TemporaryError(`no answer from ${url.host}: ${reason}`, NO_ANSWER_DELAY_MS, cause)
  }
}

function exchange(url: URL, options: RequestOptions, body: string | undefined): Promise<JsonAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<JsonAnswer>()
  const outgoing = request(url, options, (response) => {
    const parts: Buffer[] = []
    let size = 0
    response.on('data', (part: Buffer) => {
      size += part.length
      if (size > ANSWER_BYTES_MAX) outgoing.destroy(new Error('the answer is too long'))
      else parts.push(part)
    })
    response.on('error', reject)
    response.on('aborted', () => reject(new Error('the answer broke off')))
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        body: parseJson(Buffer.concat(parts)),
        retryAfterMs: parseRetryAfter(response.headers['retry-after']),
      }),
    )
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d+$/.test(header)) return undefined
  return Math.min(Number(header), RETRY_AFTER_MAX_SECONDS) * 1000
}
