/** Counts over restarts. */
export interface ApnsStatistics {
  readonly accepted: number
  /** By Apple's reason. */
  readonly rejected: Readonly<Record<string, number>>
  /** Pushes answered in the last full second. */
  readonly perSecond: number
  /** Open connections. */
  readonly connections: number
  /** Handshakes of this run by the client certificate's serial number; of the first 1,000 certificates. */
  readonly handshakes: Readonly<Record<string, number>>
}

/** Counts answers, in total and in the current second. */
export class AnswerCounter {
  accepted = 0
  readonly rejected: Record<string, number> = {}
  #second = 0
  #inSecond = 0
  #inPrevious = 0

  count(reason: string | undefined, atMs: number): void {
    this.#turn(Math.floor(atMs / 1000))
    this.#inSecond += 1
    if (reason === undefined) this.accepted += 1
    else this.rejected[reason] = (this.rejected[reason] ?? 0) + 1
  }

  perSecond(atMs: number): number {
    this.#turn(Math.floor(atMs / 1000))
    return this.#inPrevious
  }

  #turn(second: number): void {
    if (second === this.#second) return
    this.#inPrevious = second === this.#second + 1 ? this.#inSecond : 0
    this.#inSecond = 0
    this.#second = second
  }
}
