import { sleep } from 'k6'
import { Client, type ConnectParams, type Response, StatusOK } from 'k6/net/grpc'
import type { Kind } from '../plan/thresholds.ts'
import { note } from './metrics.ts'
import { fixture } from './world.ts'

/** Tries of one call, the first included. */
const triesMax = 5
const timeout = '5s'
/** Pause before the first repeat, doubled each time, half of it random. */
const pauseSeconds = 0.1
/** DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE: safe to repeat with the same key. */
const retryable: readonly number[] = [4, 8, 10, 14]
/** FAILED_PRECONDITION: what the platform may rightly say. */
const preconditionStatus = 9

/** How a call ended. */
export type Answer<T> =
  | { readonly ok: true; readonly message: T; readonly tries: number }
  | { readonly ok: false; readonly isRefused: boolean }

/** A connection of this caller to one service; protocol files are read in k6's init stage. */
export class Service {
  readonly #client = new Client()
  readonly #name: string
  readonly #address: string
  readonly #key: string
  #isConnected = false

  /** `name` is the service's full name, `file` its protocol file. */
  constructor(file: string, name: string, address: string, key: string) {
    this.#client.load([fixture.protoDir], file)
    this.#name = name
    this.#address = address
    this.#key = key
  }

  /** Calls, repeats what is worth it, and writes the call down; a precondition that is not met is no failure. */
  call<T>(kind: Kind, method: string, request: object): Answer<T> {
    this.#connect()
    const startedAtMs = Date.now()
    for (let tries = 1; ; tries += 1) {
      const response = this.#try(method, request)
      if (response.status === StatusOK) {
        note(kind, startedAtMs, true, tries)
        return { ok: true, message: response.message as T, tries }
      }
      const isRefused = response.status === preconditionStatus
      if (isRefused || tries === triesMax || !retryable.includes(response.status)) {
        if (!isRefused) {
          note(kind, startedAtMs, false, tries)
          console.error(`${kind}: status ${response.status} after ${tries} tries: ${JSON.stringify(response.error)}`)
        }
        return { ok: false, isRefused }
      }
      sleep(pauseSeconds * 2 ** (tries - 1) * (0.5 + Math.random() / 2))
    }
  }

  /** Asks once, of what may not be there yet; undefined without an answer. Writes nothing down. */
  look<T>(method: string, request: object): T | undefined {
    this.#connect()
    const response = this.#try(method, request)
    return response.status === StatusOK ? (response.message as T) : undefined
  }

  #try(method: string, request: object): Response {
    const metadata = { authorization: `Bearer ${this.#key}` }
    return this.#client.invoke(`${this.#name}/${method}`, request, { metadata, timeout })
  }

  #connect(): void {
    if (this.#isConnected) return
    const security = fixture.caPem === '' ? { plaintext: true } : { tls: { cacerts: fixture.caPem } }
    // The types ask for a client certificate, k6 does not.
    this.#client.connect(this.#address, { ...security, timeout } as ConnectParams)
    this.#isConnected = true
  }
}
