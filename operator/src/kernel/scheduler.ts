/** A timer that was set; disposing it makes it never fire. */
export type Timer = Disposable

/** Time that only runs forward, and timers on it: what back-off, leases and resyncs are measured with. */
export interface Scheduler {
  /** Milliseconds since some fixed moment; does not jump when the machine's clock is set. */
  nowMs(): number
  /** Calls once after that long. A timer keeps no process alive. */
  after(delayMs: number, call: () => void): Timer
  /** Evenly spread over 0 to 1, 1 excluded; for jitter. */
  random(): number
}

/** setTimeout fires at once above this; about 25 days. */
const timerMsMax = 2 ** 31 - 1

/** The machine's monotonic clock. */
export const systemScheduler: Scheduler = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, Math.min(Math.max(delayMs, 0), timerMsMax))
    timer.unref()
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  random: () => Math.random(),
}

/** Waits that long; ends early, without an error, when the signal aborts. */
export function pause(scheduler: Scheduler, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = scheduler.after(delayMs, end)
    signal.addEventListener('abort', end, { once: true })
  })
}
