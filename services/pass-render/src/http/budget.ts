/** Something that may be spent so often per second; what a second leaves, the next cannot use. */
export class Budget {
  #spent = 0
  #secondEndsAtMs = 0

  /** Spends one; false when as much was spent in this second as may be. */
  take(nowMs: number, perSecond: number): boolean {
    if (nowMs >= this.#secondEndsAtMs) {
      this.#spent = 0
      this.#secondEndsAtMs = nowMs + 1_000
    }
    if (this.#spent >= perSecond) return false
    this.#spent++
    return true
  }
}
