/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv. */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const MAX_COUNT = 255

/**
 * Counts how often each key comes, in memory of a fixed size whatever the number of keys. Two keys may share a counter,
 * which is rare while there are fewer keys than counters; the seed keeps anybody from choosing a key that shares another's.
 */
export class RateSketch {
  readonly #counts: Uint8Array
  readonly #seed: number
  readonly #windowMs: number
  readonly #limit: number
  #windowEndsAtMs = 0

  /** `limit`: times that a key may come in a window, at most 254; `counters`: a power of two. */
  constructor(options: { limit: number; windowMs: number; counters: number; seed: number }) {
    this.#counts = new Uint8Array(options.counters)
    this.#limit = options.limit
    this.#windowMs = options.windowMs
    this.#seed = options.seed
  }

  /** Counts the key once more; false when it has come too often in this window. */
  allows(key: string, nowMs: number): boolean {
    if (nowMs >= this.#windowEndsAtMs) {
      this.#counts.fill(0)
      this.#windowEndsAtMs = nowMs + this.#windowMs
    }
    const at = this.#hash(key) & (this.#counts.length - 1)
    const count = this.#counts[at] as number
    if (count < MAX_COUNT) this.#counts[at] = count + 1
    return count < this.#limit
  }

  #hash(key: string): number {
    let hash = FNV_OFFSET ^ this.#seed
    for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), FNV_PRIME)
    return (hash ^ (hash >>> 15)) >>> 0
  }
}
