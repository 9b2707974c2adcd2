/** Time as a dependency, so that tests can stand still or jump. */
export interface Clock {
  /** The present instant. */
  now(): Date
  /** The present instant in milliseconds since 1970. */
  nowMs(): number
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  nowMs: () => Date.now(),
}
