import type { CampaignControl } from '@stampede/platform'

/** How often the state is looked at, in milliseconds: a campaign stops well within a second. */
const LOOK_MS = 200
/** How long after the deadline it may be asked what became of a message, in milliseconds: longer than a claim lasts. */
const CHECK_MS = 90_000

/** Whether a message may go out: yes; later; never again; this process ends. */
export type SendState = 'open' | 'paused' | 'aborted' | 'expired' | 'stopping'

/** What decides whether a message may go out. */
export interface GuardOptions {
  /** Unix milliseconds. */
  readonly expiresAtMs: number
  readonly stopping: AbortSignal
  /** Control of the message's campaign; undefined when nobody ever set it. */
  control(): CampaignControl | undefined
}

/** Tells the calls of one message when they may be made, and interrupts their waits when they no longer may. */
export class SendGuard implements Disposable {
  readonly #options: GuardOptions
  readonly #timer: NodeJS.Timeout
  readonly #deadline: NodeJS.Timeout
  #closed = new AbortController()

  constructor(options: GuardOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#deadline = setTimeout(() => this.#look(), options.expiresAtMs - Date.now())
    this.#look()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    clearTimeout(this.#deadline)
    this.#closed.abort()
  }

  get state(): SendState {
    const { expiresAtMs, stopping, control } = this.#options
    if (stopping.aborted) return 'stopping'
    if (control()?.status === 'aborted') return 'aborted'
    if (Date.now() >= expiresAtMs) return 'expired'
    return control()?.status === 'paused' ? 'paused' : 'open'
  }

  /** Aborted once the state is no longer open. */
  get signal(): AbortSignal {
    this.#look()
    return this.#closed.signal
  }

  /** Aborted when this process ends. */
  get stopping(): AbortSignal {
    return this.#options.stopping
  }

  /** Whether it may no longer be asked what became of a message. */
  get isOver(): boolean {
    return Date.now() >= this.#options.expiresAtMs + CHECK_MS
  }

  #look(): void {
    if (this.state !== 'open') this.#closed.abort()
    else if (this.#closed.signal.aborted) this.#closed = new AbortController()
  }
}
