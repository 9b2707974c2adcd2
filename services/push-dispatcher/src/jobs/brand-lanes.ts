import { setTimeout as sleep } from 'node:timers/promises'
import type { Lane } from '../apns/transport.ts'
import { laneOwners } from '../domain/lane-owners.ts'
import { type LaneParts, type RunningLane, startLane } from './lane.ts'
import type { Presence } from './presence.ts'
import { defaultSharingTimings, type SharingTimings } from './sharing-timings.ts'

const lanes: readonly Lane[] = ['tx', 'bulk']
/** Lanes that are begun at once, and how long until the next ones: 100 per second, so that a fail-over is no dial storm. */
const STARTS_AT_ONCE = 20
const STARTS_EVERY_MS = 200

interface LaneName {
  readonly brand: string
  readonly lane: Lane
}

/** A lane that is to be begun. */
interface Start extends LaneName {
  /** Nobody who served it is left. */
  readonly isOrphan: boolean
}

interface Serving extends LaneName {
  readonly running: RunningLane
  /** Since when it belongs to others; undefined while it is ours. */
  othersSinceMs: number | undefined
}

/**
 * Reads the lanes that are this replica's share of all brands (rendezvous hashing), and hands them over as replicas
 * and brands come and go. Consumers are durable and shared, so that two who read one lane for a while do no harm.
 */
export class BrandLanes implements AsyncDisposable {
  readonly #parts: LaneParts
  readonly #presence: Presence
  readonly #timings: SharingTimings
  readonly #serving = new Map<string, Serving>()
  /** Lanes that finish what they have in hand. */
  readonly #ending = new Set<RunningLane>()
  #starts: Start[] = []
  /** The replicas that the present share was made for. */
  #replicas: readonly string[] = []
  #update: NodeJS.Timeout | undefined
  #updateAtMs = Number.POSITIVE_INFINITY
  #nextStarts: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: LaneParts, presence: Presence, timings = defaultSharingTimings) {
    this.#parts = parts
    this.#presence = presence
    this.#timings = timings
    presence.onChange(() => this.#updateWithin(timings.settleMs))
    parts.brands.onChange((brand, info) => {
      if (info === undefined) this.#forget(brand)
      else this.#updateWithin(0)
    })
    this.#share()
  }

  /** Ends all lanes: what is under way has some seconds to be finished; then it is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#update)
    clearTimeout(this.#nextStarts)
    const all = [...[...this.#serving.values()].map(({ running }) => running), ...this.#ending]
    this.#serving.clear()
    this.#tell()
    const isDone = new AbortController()
    const deadline = sleep(this.#timings.drainMs, undefined, { signal: isDone.signal }).catch(() => undefined)
    await Promise.race([Promise.all(all.map((lane) => lane.drain())), deadline])
    isDone.abort()
    await Promise.all(all.map((lane) => lane[Symbol.asyncDispose]()))
  }

  #updateWithin(ms: number): void {
    const atMs = performance.now() + ms
    if (this.#isClosed || atMs >= this.#updateAtMs) return
    clearTimeout(this.#update)
    this.#updateAtMs = atMs
    this.#update = setTimeout(() => {
      this.#updateAtMs = Number.POSITIVE_INFINITY
      this.#share()
    }, ms)
  }

  /** Compares what is read with what should be. */
  #share(): void {
    const before = this.#replicas
    this.#replicas = this.#presence.replicas()
    const wanted = this.#wanted(before)
    const nowMs = performance.now()
    for (const [key, serving] of this.#serving) {
      if (wanted.has(key)) serving.othersSinceMs = undefined
      else serving.othersSinceMs ??= nowMs
      if (serving.othersSinceMs === undefined) continue
      const restMs = serving.othersSinceMs + this.#timings.giveUpMs - nowMs
      if (restMs <= 0) this.#end(key, (lane) => lane.retire())
      else this.#updateWithin(restMs)
    }
    const missing = [...wanted].filter(([key]) => !this.#serving.has(key)).map(([, start]) => start)
    // What nobody serves comes first, and urgent pushes before campaigns.
    this.#starts = missing.sort((a, b) => urgency(b) - urgency(a))
    if (this.#nextStarts === undefined) this.#startSome()
    this.#tell()
  }

  #wanted(before: readonly string[]): ReadonlyMap<string, Start> {
    const wanted = new Map<string, Start>()
    const others = new Set(this.#replicas.filter((replica) => replica !== this.#presence.replica))
    for (const info of this.#parts.brands.list()) {
      for (const lane of lanes) {
        if (!laneOwners(lane, info, this.#replicas).includes(this.#presence.replica)) continue
        const isOrphan = !laneOwners(lane, info, before).some((owner) => others.has(owner))
        wanted.set(keyOf(info.brand, lane), { brand: info.brand, lane, isOrphan })
      }
    }
    return wanted
  }

  #startSome(): void {
    this.#nextStarts = undefined
    const now = this.#starts.splice(0, STARTS_AT_ONCE)
    if (now.length === 0) return
    for (const { brand, lane } of now) {
      const running = startLane(brand, lane, this.#parts)
      this.#serving.set(keyOf(brand, lane), { brand, lane, running, othersSinceMs: undefined })
    }
    this.#nextStarts = setTimeout(() => {
      this.#startSome()
      this.#tell()
    }, STARTS_EVERY_MS)
  }

  /** A brand is gone: its chunks go back, for whoever knows it still. */
  #forget(brand: string): void {
    this.#starts = this.#starts.filter((start) => start.brand !== brand)
    for (const lane of lanes) this.#end(keyOf(brand, lane), (running) => running[Symbol.asyncDispose]())
    this.#tell()
  }

  #end(key: string, how: (lane: RunningLane) => PromiseLike<void>): void {
    const running = this.#serving.get(key)?.running
    if (running === undefined) return
    this.#serving.delete(key)
    this.#ending.add(running)
    how(running).then(
      () => this.#ending.delete(running),
      (error: unknown) => this.#parts.logger.error({ err: error, key }, 'a lane did not end in good order'),
    )
  }

  #tell(): void {
    const { metrics } = this.#parts
    metrics.replicas.set(this.#presence.replicas().length)
    for (const lane of lanes) {
      const served = [...this.#serving.values()].filter((serving) => serving.lane === lane)
      metrics.lanes.set({ lane }, served.length)
    }
  }
}

function urgency({ lane, isOrphan }: Start): number {
  return (isOrphan ? 2 : 0) + (lane === 'tx' ? 1 : 0)
}

function keyOf(brand: string, lane: Lane): string {
  return `${lane}/${brand}`
}
