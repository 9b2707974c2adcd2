/** Lets one waiter sleep until it is woken or a time has passed. A wake-up before the wait is not lost. */
export class Wakeup {
  #resolve: (() => void) | undefined
  #pending = false

  /** Ends the present wait, or the next one at once. */
  wake(): void {
    this.#pending = true
    this.#resolve?.()
  }

  /** Resolves when woken, after `timeoutMs` at the latest. One waiter at a time. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#pending) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#resolve = resolve
      const timer = setTimeout(resolve, timeoutMs)
      await promise
      clearTimeout(timer)
      this.#resolve = undefined
    }
    this.#pending = false
  }
}
