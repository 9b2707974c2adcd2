interface Stop {
  readonly reason: string
  readonly untilMs: number
}

/** Brands whose credential is missing or refused. After a while each may be tried again. */
export class BrandStops {
  readonly #probeMs: number
  readonly #changed: (brand: string, reason: string | undefined) => void
  readonly #stops = new Map<string, Stop>()

  /** `changed` is told when a brand is stopped and (reason undefined) when it is set free. */
  constructor(probeMs: number, changed: (brand: string, reason: string | undefined) => void) {
    this.#probeMs = probeMs
    this.#changed = changed
  }

  /** Stops a brand; false when it is stopped already. */
  stop(brand: string, reason: string): boolean {
    if (this.reason(brand) !== undefined) return false
    this.#stops.set(brand, { reason, untilMs: Date.now() + this.#probeMs })
    this.#changed(brand, reason)
    return true
  }

  /** Why a brand is stopped; undefined when it is not. */
  reason(brand: string): string | undefined {
    const stop = this.#stops.get(brand)
    if (stop === undefined) return undefined
    if (Date.now() < stop.untilMs) return stop.reason
    this.release(brand)
    return undefined
  }

  /** Sets a brand free. */
  release(brand: string): void {
    if (this.#stops.delete(brand)) this.#changed(brand, undefined)
  }
}
