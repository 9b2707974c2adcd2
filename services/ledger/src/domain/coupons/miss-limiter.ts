/** Wrong codes in a window, per name, at most. */
const MISSES_MAX = 10
const WINDOW_MS = 60_000
/** Names remembered; the one that missed longest ago is forgotten first. */
const NAMES_MAX = 100_000

interface Window {
  readonly startedAtMs: number
  readonly misses: number
}

/**
 * Counts wrong codes, so that nobody finds a right one by trying: after ten in a minute by one member, at one till, or
 * of one beginning, the next answer is that there were too many, whatever the code. Each replica counts for itself.
 */
export class MissLimiter {
  readonly #windows = new Map<string, Window>()

  /** Whether one of the names has missed too often by now. */
  isExhausted(names: readonly string[], nowMs: number): boolean {
    return names.some((name) => this.#missesOf(name, nowMs) >= MISSES_MAX)
  }

  /** Counts a wrong code for each of the names. */
  miss(names: readonly string[], nowMs: number): void {
    for (const name of names) {
      const misses = this.#missesOf(name, nowMs)
      const startedAtMs = misses === 0 ? nowMs : (this.#windows.get(name)?.startedAtMs ?? nowMs)
      this.#windows.delete(name)
      this.#windows.set(name, { startedAtMs, misses: misses + 1 })
    }
    for (const name of this.#windows.keys()) {
      if (this.#windows.size <= NAMES_MAX) break
      this.#windows.delete(name)
    }
  }

  #missesOf(name: string, nowMs: number): number {
    const window = this.#windows.get(name)
    return window === undefined || nowMs - window.startedAtMs >= WINDOW_MS ? 0 : window.misses
  }
}
