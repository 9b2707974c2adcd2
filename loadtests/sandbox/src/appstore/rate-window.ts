const WINDOW_MS = 3_600_000
/** The hour is counted in slices of a minute: a key's calls need not be remembered one by one. */
const SLICE_MS = 60_000

/** Calls of each key within the rolling hour. */
export class RateWindow {
  readonly #slices = new Map<string, Map<number, number>>()

  /** Counts one call; answers how many are left, below zero when this one was too many (it is not counted then). */
  take(keyId: string, limit: number, nowMs: number): number {
    const slices = this.#slices.get(keyId) ?? new Map<number, number>()
    this.#slices.set(keyId, slices)
    let used = 0
    for (const [slice, calls] of slices) {
      if (slice <= nowMs - WINDOW_MS) slices.delete(slice)
      else used += calls
    }
    if (used >= limit) return -1
    const slice = Math.floor(nowMs / SLICE_MS) * SLICE_MS
    slices.set(slice, (slices.get(slice) ?? 0) + 1)
    return limit - used - 1
  }
}
