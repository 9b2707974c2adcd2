import { Agent, request } from 'node:https'
import { retryAfterMs } from '../../domain/backoff.ts'
import type { GoogleAnswer } from './verdict.ts'

/**
 * Sockets for all issuers together. So many that calls hardly ever wait for one: those that did would leave together,
 * not at their turns. Calls in flight are bounded by issuer.
 */
const SOCKETS_MAX = 1_000
/** Sockets kept while there is nothing to do. */
const IDLE_SOCKETS_MAX = 50
/** Longest time of a call, in milliseconds: Google advises clients to wait 10 s. */
export const CALL_MS = 10_000
/** Longest answer that is read, in bytes. */
const ANSWER_BYTES_MAX = 1_048_576

/** One call. */
export interface GoogleCall {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Empty for none. */
  readonly body: string
}

/** An answer with its body. */
export interface GoogleHttpAnswer extends GoogleAnswer {
  /** Parsed JSON; undefined when there is none. */
  readonly json: unknown
}

/** Makes calls. */
export interface GoogleCaller {
  /** Never rejects: no answer is status 0. */
  call(call: GoogleCall): Promise<GoogleHttpAnswer>
}

/** HTTPS to Google with kept-alive connections. */
export class GoogleHttp implements GoogleCaller, Disposable {
  readonly #agent: Agent

  /** `caPem`: trusted instead of the system's authorities; undefined for those. */
  constructor(caPem: string | undefined) {
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: SOCKETS_MAX,
      maxFreeSockets: IDLE_SOCKETS_MAX,
      ...(caPem === undefined ? {} : { ca: caPem }),
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  /** Never rejects: no answer within 10 s is status 0 with the cause as message. */
  call({ method, url, headers, body }: GoogleCall): Promise<GoogleHttpAnswer> {
    return new Promise((resolve) => {
      const failed = (error: Error) =>
        resolve({ status: 0, reason: 'NoAnswer', message: error.message, retryAfterMs: 0, json: undefined })
      const signal = AbortSignal.timeout(CALL_MS)
      const outgoing = request(url, {
        method,
        agent: this.#agent,
        signal,
        headers: body === '' ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
      })
      outgoing.on('error', failed)
      outgoing.on('response', (incoming) => {
        const parts: Buffer[] = []
        let size = 0
        const answer = () => {
          const json = parse(Buffer.concat(parts).toString('utf8'))
          const waitMs = retryAfterMs(incoming.headers['retry-after'], Date.now())
          resolve({ status: incoming.statusCode ?? 0, ...errorOf(json), retryAfterMs: waitMs, json })
        }
        incoming.on('data', (part: Buffer) => {
          size += part.length
          if (size <= ANSWER_BYTES_MAX) {
            parts.push(part)
            return
          }
          // The status counts; the rest is not worth reading.
          answer()
          incoming.destroy()
        })
        incoming.on('error', failed)
        incoming.on('end', answer)
      })
      outgoing.end(body)
    })
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads both shapes of an error: `{error: {message, status, errors: [{reason}]}}` and OAuth's `{error, error_description}`. */
function errorOf(json: unknown): { readonly reason: string; readonly message: string } {
  const error = field(json, 'error')
  if (typeof error === 'string') return { reason: error, message: text(field(json, 'error_description')) }
  const list = field(error, 'errors')
  const first: unknown = Array.isArray(list) ? list[0] : undefined
  return {
    reason: text(field(first, 'reason')) || text(field(error, 'status')),
    message: text(field(error, 'message')),
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
