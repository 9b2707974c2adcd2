import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Logger, type Nats, putCapacity, removeCapacity, uuidv7 } from '@stampede/platform'
import { measurePhoneCosts } from './calibration.ts'
import { PhoneCostModel, type PhoneCosts, type PhoneWork } from './domain/phone-costs.ts'
import type { Meters } from './metrics.ts'

/** How often the capacity is measured and told, in milliseconds. */
const TELL_MS = 2_000
/** Resolution of the event loop's delay, in milliseconds: what the timer itself takes. */
const DELAY_RESOLUTION_MS = 20
/** Costs before anything was measured: of a machine on the slow side. */
const firstCosts: PhoneCosts = { handshakeMs: 0.9, answerMs: 0.15, signedMs: 1.5 }
/** A replica never claims less: some phones must come so that it can be measured again. */
const MIN_PER_SECOND = 20

/**
 * Measures how many phones per second this replica can answer that come on a new connection (handshake, list, fresh
 * pass), and tells the campaigns' leader. The cost of a phone is CPU time, measured at the start by playing phones and
 * then learned from what the process uses: so it is right when idle, when half loaded and when saturated. Other
 * services in the same process count as background.
 */
export class Capacity {
  readonly #nats: Nats
  readonly #logger: Logger
  readonly #meters: Meters
  readonly #replica = uuidv7()
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  /** Of all threads: signatures spread over the cores. */
  #all = new PhoneCostModel(firstCosts)
  /** Of the event loop's thread, which is one. */
  #main = new PhoneCostModel(firstCosts)
  #work = { handshakes: 0, answers: 0, signed: 0 }
  #window = startWindow()
  #perSecond = MIN_PER_SECOND
  #waiting: () => number = () => 0
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> = Promise.resolve()

  constructor(nats: Nats, logger: Logger, meters: Meters) {
    this.#nats = nats
    this.#logger = logger
    this.#meters = meters
    this.#perSecond = this.#compute()
  }

  /** Plays phones against our web server on `port` and begins to tell. `waiting`: phones whose turn has not come. */
  async start(port: number, waiting: () => number): Promise<void> {
    this.#waiting = waiting
    await this.#calibrate(port)
    this.#delay.enable()
    this.#work = { handshakes: 0, answers: 0, signed: 0 }
    this.#window = startWindow()
    await this.#tell()
    this.#timer = setInterval(() => {
      this.#telling = this.#measureAndTell()
    }, TELL_MS)
  }

  /** Counts a handshake. */
  shookHands(): void {
    this.#work.handshakes++
  }

  /** Counts an answer of any kind. */
  answered(): void {
    this.#work.answers++
  }

  /** Counts a pass that was rendered and signed. */
  signed(): void {
    this.#work.signed++
  }

  /** Phones per second. */
  get perSecond(): number {
    return this.#perSecond
  }

  async #calibrate(port: number): Promise<void> {
    try {
      const { signatureMs, ...costs } = await measurePhoneCosts(port)
      this.#all = new PhoneCostModel(costs)
      this.#main = new PhoneCostModel({ ...costs, signedMs: costs.signedMs - signatureMs })
      this.#perSecond = this.#compute()
      this.#logger.info({ ...costs, signatureMs, perSecond: this.#perSecond }, 'measured what a phone costs')
    } catch (error) {
      this.#logger.warn({ err: error }, 'what a phone costs cannot be measured before the first comes')
    }
  }

  #compute(): number {
    const cores = availableParallelism()
    const byCores = (1_000 * cores - this.#all.idleMsPerSecond) / this.#all.visitMs
    const byMain = (1_000 - this.#main.idleMsPerSecond) / this.#main.visitMs
    return Math.max(MIN_PER_SECOND, Math.floor(Math.min(byCores, byMain)))
  }

  async #measureAndTell(): Promise<void> {
    const before = this.#window
    this.#window = startWindow()
    const work: PhoneWork = { ...this.#work, seconds: (this.#window.atMs - before.atMs) / 1_000 }
    this.#work = { handshakes: 0, answers: 0, signed: 0 }
    const [allMs, mainMs] = [this.#window.allMs - before.allMs, this.#window.mainMs - before.mainMs]
    const busy = Math.max(mainMs, allMs / availableParallelism()) / (work.seconds * 1_000)
    this.#all.learn(work, allMs, busy)
    this.#main.learn(work, mainMs, busy)
    this.#perSecond = this.#compute()
    await this.#tell()
  }

  async #tell(): Promise<void> {
    this.#meters.capacity.set(this.#perSecond)
    const lagMs = this.#lagMs()
    this.#meters.lag.set(lagMs / 1_000)
    try {
      await putCapacity(this.#nats, this.#replica, { passesPerSecond: this.#perSecond, lagMs })
    } catch (error) {
      this.#logger.warn({ err: error }, 'the capacity cannot be told')
    }
  }

  /** How long a phone that comes now has to wait for its turn. */
  #lagMs(): number {
    const delayMs = Number.isFinite(this.#delay.mean) ? Math.max(0, this.#delay.mean / 1e6 - DELAY_RESOLUTION_MS) : 0
    this.#delay.reset()
    return Math.round(delayMs + (1_000 * this.#waiting()) / this.#perSecond)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#telling
    this.#delay.disable()
    try {
      await removeCapacity(this.#nats, this.#replica)
    } catch (error) {
      // It would be forgotten by its age anyway.
      this.#logger.warn({ err: error }, 'the capacity cannot be taken back')
    }
  }
}

interface Window {
  readonly atMs: number
  /** CPU time so far, of all threads and of this one. */
  readonly allMs: number
  readonly mainMs: number
}

function startWindow(): Window {
  return { atMs: performance.now(), allMs: millis(process.cpuUsage()), mainMs: millis(process.threadCpuUsage()) }
}

function millis({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000
}
