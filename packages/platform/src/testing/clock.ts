import type { Clock } from '../clock.ts'

/** A clock that stands still until told. */
export interface TestClock extends Clock {
  /** Moves it by so many milliseconds; negative ones set it back. */
  advance(ms: number): void
}

/** A clock that starts at an instant and stands still. */
export function testClock(start: Date | string = '2026-11-27T08:00:00Z'): TestClock {
  let nowMs = new Date(start).getTime()
  return {
    now: () => new Date(nowMs),
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms
    },
  }
}
