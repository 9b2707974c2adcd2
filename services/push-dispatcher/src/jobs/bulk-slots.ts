import { type FairState, newFairState, pickNext, type Waiting } from '../domain/fair-order.ts'

interface Applicant extends Waiting {
  /** Ends the wait: with a slot or without. */
  readonly answer: (hasSlot: boolean) => void
}

/** The chunks in flight of the bulk lane: a fixed number, given to the brands by weight. */
export class BulkSlots {
  #free: number
  #state: FairState = newFairState
  readonly #applicants: Applicant[] = []

  constructor(slots: number) {
    this.#free = slots
  }

  /** Waits for a slot; false when the signal came first. */
  async acquire(waiting: Waiting, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted === true) return false
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const applicant = { ...waiting, answer: resolve }
    const withdraw = (): void => {
      const index = this.#applicants.indexOf(applicant)
      if (index >= 0) this.#applicants.splice(index, 1)
      resolve(false)
    }
    signal?.addEventListener('abort', withdraw)
    this.#applicants.push(applicant)
    this.#fill()
    const hasSlot = await promise
    signal?.removeEventListener('abort', withdraw)
    return hasSlot
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
      for (const applicant of this.#applicants.splice(index, 1)) applicant.answer(true)
    }
  }
}
