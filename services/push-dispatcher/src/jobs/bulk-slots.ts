import { type FairState, newFairState, pickNext, type Waiting } from '../domain/fair-order.ts'

interface Applicant extends Waiting {
  readonly enter: () => void
}

/** The chunks in flight of the bulk lane: a fixed number, given to the brands by weight. */
export class BulkSlots {
  #free: number
  #state: FairState = newFairState
  readonly #applicants: Applicant[] = []

  constructor(slots: number) {
    this.#free = slots
  }

  /** Waits for a slot. */
  async acquire(waiting: Waiting): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#applicants.push({ ...waiting, enter: resolve })
    this.#fill()
    await promise
  }

  /** Gives a slot back. */
  release(): void {
    this.#free += 1
    this.#fill()
  }

  #fill(): void {
    while (this.#free > 0 && this.#applicants.length > 0) {
      const { index, state } = pickNext(this.#state, this.#applicants)
      this.#state = state
      this.#free -= 1
      for (const applicant of this.#applicants.splice(index, 1)) applicant.enter()
    }
  }
}
