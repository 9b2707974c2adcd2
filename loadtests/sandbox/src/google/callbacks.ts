import { setTimeout as sleep } from 'node:timers/promises'
import type { SecureContext } from 'node:tls'
import { NoAnswerError, PhoneConnection } from '../phones/client.ts'
import type { CallbackSigner } from './callback-signer.ts'

/** Somebody saved or removed a card. */
export interface CardEvent {
  readonly issuer: string
  readonly classId: string
  readonly objectId: string
  readonly eventType: 'save' | 'del'
}

/** Callbacks that wait at most; later ones are given up. */
const WAITING_MAX = 100_000
const AT_ONCE = 8
const ATTEMPTS_MAX = 5
const FIRST_RETRY_MS = 200

interface Waiting {
  readonly url: string
  readonly body: string
}

/** Tells issuers who saved a card, as Google does: signed, at least once, to the address that the card's class names. */
export class Callbacks implements AsyncDisposable {
  readonly #signer: CallbackSigner
  readonly #trust: SecureContext
  readonly #waiting: Waiting[] = []
  readonly #stopping = new AbortController()
  readonly #senders = new Set<Promise<void>>()
  #taken = 0
  #givenUp = 0

  /** `trust`: whose certificates the addresses may have. */
  constructor(signer: CallbackSigner, trust: SecureContext) {
    this.#signer = signer
    this.#trust = trust
  }

  /** Callbacks that were taken, and that nobody took. */
  get outcomes(): { readonly taken: number; readonly givenUp: number } {
    return { taken: this.#taken, givenUp: this.#givenUp }
  }

  /** Sends an event to the address of the class. */
  tell(url: string, { issuer, ...event }: CardEvent): void {
    if (this.#waiting.length >= WAITING_MAX || this.#stopping.signal.aborted) {
      this.#givenUp++
      return
    }
    this.#waiting.push({ url, body: JSON.stringify(this.#signer.callback(issuer, event)) })
    if (this.#senders.size >= AT_ONCE) return
    const sender: Promise<void> = this.#sendAll().finally(() => this.#senders.delete(sender))
    this.#senders.add(sender)
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (await this.#send(next)) this.#taken++
      else this.#givenUp++
    }
  }

  async #send({ url, body }: Waiting): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX && !this.#stopping.signal.aborted; attempt++) {
      const pauseMs = attempt === 0 ? 0 : FIRST_RETRY_MS * 2 ** (attempt - 1)
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
      if (await this.#post(url, body)) return true
    }
    return false
  }

  async #post(url: string, body: string): Promise<boolean> {
    using connection = new PhoneConnection(this.#trust)
    try {
      const { status } = await connection.ask({ method: 'POST', url, body })
      return status === 200
    } catch (error) {
      if (error instanceof NoAnswerError) return false
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    this.#waiting.length = 0
    await Promise.all(this.#senders)
  }
}
