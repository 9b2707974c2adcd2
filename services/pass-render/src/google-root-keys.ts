import type { Clock, Logger } from '@stampede/platform'
import { parseRootKeys, type RootKey } from './domain/google-callback/verify.ts'

/** How long Google may take to hand out its keys, in milliseconds. */
const FETCH_MS = 5_000
/** Largest answer, in bytes. */
const MAX_BYTES = 64 * 1024
/** Keys are asked for again after so long when the answer names no age. */
const DEFAULT_AGE_MS = 3_600_000
const MAX_AGE_MS = 7 * 24 * 3_600_000
/** An unknown root is a reason to ask anew, but not more often: bad signatures are cheap to send. */
const MIN_ASK_MS = 60_000

/** Google's root keys: asked for when first needed, anew at half their life, and once for an unknown root. */
export class GoogleRootKeys {
  readonly #url: string
  readonly #clock: Clock
  readonly #logger: Logger
  #keys: readonly RootKey[] = []
  #freshUntilMs = 0
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(url: string, clock: Clock, logger: Logger) {
    this.#url = url
    this.#clock = clock
    this.#logger = logger
  }

  /** The keys; none when Google could not be asked yet. `isStale` asks anew if that was not done just now. */
  async get(isStale = false): Promise<readonly RootKey[]> {
    const nowMs = this.#clock.nowMs()
    const isWanted = isStale || nowMs >= this.#freshUntilMs
    if (isWanted && nowMs - this.#askedAtMs >= MIN_ASK_MS) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined
      })
    }
    await this.#asking
    return this.#keys
  }

  async #ask(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    this.#askedAtMs = nowMs
    try {
      const response = await fetch(this.#url, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' })
      const text = await response.text()
      if (!response.ok || text.length > MAX_BYTES)
        throw new Error(`status ${response.status}, ${text.length} characters`)
      const keys = parseRootKeys(JSON.parse(text), nowMs)
      if (keys.length === 0) throw new Error('no key of ours is among them')
      this.#keys = keys
      this.#freshUntilMs = nowMs + ageMs(response.headers) / 2
    } catch (error) {
      this.#logger.warn({ err: error }, 'Google’s root keys cannot be had; the ones at hand stay')
    }
  }
}

/** How long an answer stays good, in milliseconds: max-age less the age that it has already. */
function ageMs(headers: Headers): number {
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})/.exec(headers.get('cache-control') ?? '')?.[1]
  if (maxAge === undefined) return DEFAULT_AGE_MS
  const left = Number(maxAge) - Number(headers.get('age') ?? 0)
  return Math.min(MAX_AGE_MS, Math.max(0, left) * 1000)
}
