import { until } from '@stampede/platform/testing'
import type { SandboxControl, SandboxStats } from './sandbox.ts'

/** The sandbox's counters at an instant, since the start of the watch. */
export interface Watched {
  /** Unix ms. */
  readonly atMs: number
  readonly accepted: number
  readonly rejected: number
  /** Cards fetched by the sandbox's phones. */
  readonly fetched: number
  /** Phones that were woken and are not served yet. */
  readonly waiting: number
}

const everyMs = 1_000
const settleMs = 180_000

/** Looks at the sandbox once a second until disposed. */
export class SandboxWatch implements AsyncDisposable {
  readonly rows: Watched[] = []
  readonly #sandbox: SandboxControl
  readonly #timer: NodeJS.Timeout
  #first: SandboxStats | undefined
  #looking: Promise<void> = Promise.resolve()
  #isLooking = false

  constructor(sandbox: SandboxControl) {
    this.#sandbox = sandbox
    this.#timer = setInterval(() => {
      if (this.#isLooking) return
      this.#isLooking = true
      this.#looking = this.#look().finally(() => {
        this.#isLooking = false
      })
    }, everyMs)
  }

  async #look(): Promise<void> {
    // A sandbox that is too busy to answer once is asked again a second later.
    const stats = await this.#sandbox.stats().catch(() => undefined)
    if (stats === undefined) return
    this.#first ??= stats
    const rejected = ({ apns }: SandboxStats): number => Object.values(apns.rejected).reduce((sum, one) => sum + one, 0)
    this.rows.push({
      atMs: Date.now(),
      accepted: stats.apns.accepted - this.#first.apns.accepted,
      rejected: rejected(stats) - rejected(this.#first),
      fetched: stats.phones.fetches - this.#first.phones.fetches,
      waiting: stats.phones.waiting + stats.phones.working + stats.phones.retrying,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }
}

/** Waits until pushes have ended and all phones are served; false when they are not within three minutes. */
export async function settle(sandbox: SandboxControl): Promise<boolean> {
  let [before, quiet] = [-1, 0]
  try {
    await until(
      'phones to be served',
      async () => {
        const { apns, phones } = await sandbox.stats()
        const isQuiet = apns.accepted === before && phones.waiting + phones.working + phones.retrying === 0
        quiet = isQuiet ? quiet + 1 : 0
        before = apns.accepted
        await new Promise((resolve) => setTimeout(resolve, everyMs))
        return quiet >= 2
      },
      settleMs,
    )
    return true
  } catch {
    return false
  }
}
