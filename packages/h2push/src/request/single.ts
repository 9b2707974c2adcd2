import { H2PushError } from '../errors.ts'
import type { Header, RequestOutcome } from './outcome.ts'
import { checkRequest, type RequestHead } from './template.ts'

/** Largest body of a single request, in bytes. */
export const REQUEST_BODY_BYTES_MAX = 16 * 1_048_576
/** How often a request that was not processed is sent again before its caller is told. */
const RETURNS_MAX = 16

/** One request with a promise of its own: for callers with few. */
export interface RequestOptions {
  readonly method: string
  readonly path: string
  /** Default: the pool's host. */
  readonly authority?: string
  /** Names in lower case. */
  readonly headers?: readonly Header[]
  /** At most 16 MiB; default empty. */
  readonly body?: Uint8Array
  /** Header values that must not be compressed by anybody on the way, such as `authorization` (RFC 7541 section 7.1). */
  readonly sensitiveHeaders?: readonly string[]
  /** From the call to the end of the response; default the pool's `requestMs`. */
  readonly timeoutMs?: number
  /** Cancels it. */
  readonly signal?: AbortSignal
}

/** A single request on its way. */
export class SingleRequest {
  readonly head: RequestHead
  readonly body: Uint8Array
  readonly sensitive: ReadonlySet<string>
  readonly deadlineAtMs: number
  /** Resolves with what became of it; never rejects. */
  readonly outcome: Promise<RequestOutcome>
  /** Ends it on the wire; set while it is there. The session's. */
  reset: (() => void) | undefined
  readonly #resolve: (outcome: RequestOutcome) => void
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.#end('cancelled')
  readonly #timer: NodeJS.Timeout
  #returns = 0
  #settled = false

  /** Throws H2PushError `invalid` naming the field. */
  constructor(options: RequestOptions, authority: string, requestMs: number) {
    const { method, path, headers = [], body = new Uint8Array(0), sensitiveHeaders = [], signal } = options
    const timeoutMs = options.timeoutMs ?? requestMs
    this.head = { method, path, authority: options.authority ?? authority, headers }
    checkRequest(this.head)
    if (body.length > REQUEST_BODY_BYTES_MAX)
      throw new H2PushError('invalid', `body: at most ${REQUEST_BODY_BYTES_MAX} bytes`)
    if (!(timeoutMs > 0 && timeoutMs <= 0x7fff_ffff)) throw new H2PushError('invalid', 'timeoutMs: 1 to 2^31-1')
    this.body = body
    this.sensitive = new Set(sensitiveHeaders)
    this.deadlineAtMs = Date.now() + timeoutMs
    const { promise, resolve } = Promise.withResolvers<RequestOutcome>()
    this.outcome = promise
    this.#resolve = resolve
    this.#timer = setTimeout(() => this.#end('deadline'), timeoutMs)
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted === true) this.#end('cancelled')
  }

  /** Whether its caller knows the outcome. */
  get settled(): boolean {
    return this.#settled
  }

  /** Tells the caller; only the first time. */
  settle(outcome: RequestOutcome): void {
    if (this.#settled) return
    this.#settled = true
    this.reset = undefined
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(outcome)
  }

  /** It was certainly not processed: true when it may be sent again, false when it ended so. */
  giveBack(cause: string): boolean {
    this.reset = undefined
    this.#returns += 1
    if (this.#returns <= RETURNS_MAX) return !this.#settled
    this.settle({ kind: 'not-processed', cause })
    return false
  }

  #end(reason: 'deadline' | 'cancelled'): void {
    const { reset } = this
    this.settle({ kind: 'ended', reason, sent: reset !== undefined })
    reset?.()
  }
}
