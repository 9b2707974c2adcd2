import { Client, type ConnectParams, type Response, StatusOK } from 'k6/net/grpc'
import type { Kind } from '../plan/thresholds.ts'
import { type Attempt, insist } from './insist.ts'
import { fixture } from './world.ts'

const timeout = '5s'

/** What a status other than OK means: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, UNAVAILABLE. */
const outcomes: ReadonlyMap<number, Extract<Attempt<unknown>, { ok: false }>['outcome']> = new Map([
  [1, 'interrupted'],
  [4, 'again'],
  [8, 'again'],
  [9, 'refused'],
  [10, 'again'],
  [14, 'again'],
] as const)

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

  /** Calls, repeats what is worth it, and writes the call down; undefined without an answer. */
  call<T>(kind: Kind, method: string, request: object): T | undefined {
    return insist(kind, () => this.#try<T>(method, request))
  }

  /** Asks once, of what may not be there yet; undefined without an answer. Writes nothing down. */
  look<T>(method: string, request: object): T | undefined {
    const answer = this.#try<T>(method, request)
    return answer.ok ? answer.message : undefined
  }

  #try<T>(method: string, request: object): Attempt<T> {
    this.#connect()
    const metadata = { authorization: `Bearer ${this.#key}` }
    const response: Response = this.#client.invoke(`${this.#name}/${method}`, request, { metadata, timeout })
    if (response.status === StatusOK) return { ok: true, message: response.message as T }
    const outcome = outcomes.get(response.status) ?? 'failed'
    return { ok: false, outcome, why: `status ${response.status}: ${JSON.stringify(response.error)}` }
  }

  #connect(): void {
    if (this.#isConnected) return
    const security = fixture.caPem === '' ? { plaintext: true } : { tls: { cacerts: fixture.caPem } }
    // The types ask for a client certificate, k6 does not.
    this.#client.connect(this.#address, { ...security, timeout } as ConnectParams)
    this.#isConnected = true
  }
}
