/** Who goes first: what a shopper waits for is urgent, a campaign is bulk. */
export type Lane = 'urgent' | 'bulk'

type Grant = (granted: boolean) => void

/** Callers that wait for a turn: the urgent ones first, each lane in the order in which they came. */
export class TurnQueue {
  readonly #lanes: Readonly<Record<Lane, Set<Grant>>> = { urgent: new Set(), bulk: new Set() }
  #emptied = new AbortController()

  /** How many wait. */
  get size(): number {
    return this.#lanes.urgent.size + this.#lanes.bulk.size
  }

  /** Aborted when nobody waits any more. */
  get emptied(): AbortSignal {
    return this.#emptied.signal
  }

  /** Resolves to true at its turn, to false when the signal comes first. */
  wait(lane: Lane, signal: AbortSignal): Promise<boolean> {
    if (this.size === 0) this.#emptied = new AbortController()
    return new Promise((resolve) => {
      const leave = (): void => grant(false)
      const grant = (granted: boolean): void => {
        signal.removeEventListener('abort', leave)
        this.#lanes[lane].delete(grant)
        if (this.size === 0) this.#emptied.abort()
        resolve(granted)
      }
      this.#lanes[lane].add(grant)
      signal.addEventListener('abort', leave)
    })
  }

  /** The next one's turn, if there is one. */
  grant(): void {
    const first = this.#lanes.urgent.values().next().value ?? this.#lanes.bulk.values().next().value
    first?.(true)
  }
}
