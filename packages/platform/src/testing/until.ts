import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 10

/** Waits until the condition holds; throws when it does not within the deadline (default 20 s). */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await sleep(pollMs)
  }
}
