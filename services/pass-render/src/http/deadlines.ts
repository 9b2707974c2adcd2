/** How often the waits are looked at, in milliseconds: one may end so much later than it should. */
const LOOK_EVERY_MS = 250

/** A wait that is to end in time. */
export interface Deadline {
  readonly atMs: number
  readonly onLate: () => void
}

/** Ends waits that all have the same length, with one timer for all of them: a timer per request costs more than its work. */
export class Deadlines implements Disposable {
  readonly #lengthMs: number
  /** In the order of their ends, as all are of one length. */
  readonly #waits = new Set<Deadline>()
  readonly #timer: NodeJS.Timeout

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Calls `onLate` in time unless the wait is ended before. */
  begin(onLate: () => void): Deadline {
    const deadline = { atMs: performance.now() + this.#lengthMs, onLate }
    this.#waits.add(deadline)
    return deadline
  }

  /** Ends a wait. */
  end(deadline: Deadline): void {
    this.#waits.delete(deadline)
  }

  #look(): void {
    const now = performance.now()
    for (const deadline of this.#waits) {
      if (deadline.atMs > now) return
      this.#waits.delete(deadline)
      deadline.onLate()
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#waits.clear()
  }
}
