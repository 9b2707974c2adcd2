import type { PushGroup } from '../domain/push-table.ts'

/** The pushes of one chunk that are not on the wire: first attempts in their order, others when they are due. */
export class PushQueue {
  readonly #groups: readonly PushGroup[]
  #group = 0
  /** Next push of the present group, counted from its first. */
  #next = 0
  /** First attempts that came back unopened; they go before the rest. */
  #returned: number[] = []
  /** First attempts left, the returned ones included. */
  #fresh: number
  #waiting: number[] = []
  /** When a waiting push is due, Unix milliseconds. */
  readonly #dueMs: Float64Array
  /** Whether its next attempt counts as a repetition. */
  readonly #repeats: Uint8Array

  /** `size`: pushes of the chunk; `groups`: those that may be sent. */
  constructor(size: number, groups: readonly PushGroup[]) {
    this.#groups = groups
    this.#fresh = groups.reduce((sum, { count }) => sum + count, 0)
    this.#dueMs = new Float64Array(size)
    this.#repeats = new Uint8Array(size)
  }

  /** First attempts that may go at once. */
  get fresh(): number {
    return this.#fresh
  }

  /** An attempt was not opened: it goes again as it was. */
  putBack(push: number): void {
    this.#returned.push(push)
    this.#fresh += 1
  }

  /** A push goes again from that instant on; `repeats` when that counts as a repetition. */
  wait(push: number, dueMs: number, repeats: boolean): void {
    this.#dueMs[push] = dueMs
    this.#repeats[push] = repeats ? 1 : 0
    this.#waiting.push(push)
  }

  /** Lets pushes wait as they did before they were taken. */
  waitOn(pushes: readonly number[]): void {
    for (const push of pushes) this.#waiting.push(push)
  }

  /** Whether the next attempt of a push that waits, or was just taken, counts as a repetition. */
  repeats(push: number): boolean {
    return this.#repeats[push] === 1
  }

  /** Takes up to `most` due pushes; `allow` says how many repetitions the budget has when so many are wanted. */
  takeDue(most: number, nowMs: number, allow: (want: number) => number): number[] {
    if (this.#waiting.length === 0) return []
    const isDue = (push: number): boolean => (this.#dueMs[push] as number) <= nowMs
    const counted = this.#waiting.reduce((sum, push) => sum + (isDue(push) && this.repeats(push) ? 1 : 0), 0)
    let allowed = counted === 0 ? 0 : allow(Math.min(counted, most))
    const taken: number[] = []
    this.#waiting = this.#waiting.filter((push) => {
      if (taken.length === most || !isDue(push)) return true
      if (this.repeats(push) && allowed-- <= 0) return true
      taken.push(push)
      return false
    })
    return taken
  }

  /** Milliseconds until a push is due, 0 or less when one is; undefined when none waits. */
  untilDueMs(nowMs: number): number | undefined {
    if (this.#waiting.length === 0) return undefined
    return this.#waiting.reduce((least, push) => Math.min(least, this.#dueMs[push] as number), Infinity) - nowMs
  }

  /** Takes up to `most` first attempts. */
  takeFresh(most: number): Uint32Array {
    const pushes = new Uint32Array(Math.min(most, this.#fresh))
    let at = 0
    while (at < pushes.length) {
      const returned = this.#returned.pop()
      if (returned === undefined) break
      pushes[at] = returned
      at += 1
    }
    while (at < pushes.length) {
      const group = this.#groups[this.#group]
      if (group === undefined) break
      const end = Math.min(pushes.length, at + group.count - this.#next)
      for (; at < end; at += 1, this.#next += 1) pushes[at] = group.firstPush + this.#next
      if (this.#next < group.count) break
      this.#group += 1
      this.#next = 0
    }
    this.#fresh -= pushes.length
    return pushes
  }
}
