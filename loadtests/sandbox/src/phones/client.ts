import { lookup } from 'node:dns'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { SecureContext } from 'node:tls'

/** An answer of the web service. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A request of a phone. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Thrown when there was no answer: connection refused, reset, not trusted, too slow or too long. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError'
}

const REQUEST_TIMEOUT_MS = 20_000
const BODY_BYTES_MAX = 10 * 1024 * 1024

/** Names of this machine need no resolver, whose few threads are wanted for files. */
const lookupHere: LookupFunction = (host, options, callback) => {
  if (host !== 'localhost') return lookup(host, options, callback)
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

/** One TLS connection of its own, like a phone that has just woken: nothing is resumed from earlier visits. */
export class PhoneConnection implements Disposable {
  readonly #agent: Agent

  constructor(secureContext: SecureContext) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0, secureContext, lookup: lookupHere })
  }

  /** Asks and reads the whole answer. Throws NoAnswerError. */
  ask({ method, url, headers = {}, body }: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
      const fail = (error: Error) => reject(new NoAnswerError(error.message))
      const content =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const request = httpsRequest(url, { method, agent: this.#agent, signal, headers: { ...headers, ...content } })
      request.on('error', fail)
      request.on('response', (response) => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          parts.push(part)
          if (size > BODY_BYTES_MAX) request.destroy(new Error('answer is too long'))
        })
        response.on('error', fail)
        response.on('end', () => {
          if (!response.complete) return fail(new Error('answer was cut off'))
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) })
        })
      })
      request.end(body)
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
