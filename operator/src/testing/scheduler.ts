import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Scheduler } from '../kernel/scheduler.ts'

/** Time that stands still until told, with the same "chance" every time. */
export interface TestScheduler extends Scheduler {
  /** Moves time on, fires in order what falls due, and lets whatever awaits it run. */
  advance(ms: number): Promise<void>
}

interface Pending {
  readonly dueMs: number
  readonly call: () => void
}

/** A scheduler at 0 ms whose `random()` is always the given number (default 0: no jitter). */
export function testScheduler(random = 0): TestScheduler {
  const pending = new Set<Pending>()
  let nowMs = 0
  const next = (untilMs: number): Pending | undefined =>
    [...pending].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0]
  return {
    nowMs: () => nowMs,
    random: () => random,
    after: (delayMs, call) => {
      const timer = { dueMs: nowMs + Math.max(delayMs, 0), call }
      pending.add(timer)
      return { [Symbol.dispose]: () => void pending.delete(timer) }
    },
    advance: async (ms) => {
      const untilMs = nowMs + ms
      for (let timer = next(untilMs); timer !== undefined; timer = next(untilMs)) {
        pending.delete(timer)
        nowMs = timer.dueMs
        timer.call()
        await nextTurn()
      }
      nowMs = untilMs
      await nextTurn()
    },
  }
}
