import { generateKeyPair, sign } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { type Logger, type Nats, uuidv7 } from '@stampede/platform'
import type { Meters } from './metrics.ts'

/** How often the capacity is measured and told, in milliseconds. */
const TELL_MS = 2_000
/** Signatures of the benchmark at start. */
const BENCHMARK_SIGNATURES = 50
/** Main-thread cost of one answered phone before any was measured, in milliseconds: TLS handshake, list, pass, zip. */
const FIRST_COST_MS = 3
/** Answers in a window below which its measurement says nothing. */
const MIN_ANSWERS = 50
/** Weight of the newest window in the moving mean. */
const NEWEST_WEIGHT = 0.3
/** A replica never claims less: some phones must come so that it can be measured again. */
const MIN_PER_SECOND = 20

/** Measures how many passes per second this replica can answer and tells the campaigns' leader. */
export class Capacity {
  readonly #nats: Nats
  readonly #logger: Logger
  readonly #meters: Meters
  readonly #replica = uuidv7()
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()
  #cpu = process.cpuUsage()
  #answers = 0
  #mainMs = FIRST_COST_MS
  #cpuMs = FIRST_COST_MS
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> = Promise.resolve()

  constructor(nats: Nats, logger: Logger, meters: Meters) {
    this.#nats = nats
    this.#logger = logger
    this.#meters = meters
  }

  /** Runs the short benchmark and begins to tell. */
  async start(): Promise<void> {
    this.#cpuMs = FIRST_COST_MS + (await signatureCostMs())
    this.#delay.enable()
    this.#utilization = performance.eventLoopUtilization()
    this.#cpu = process.cpuUsage()
    await this.#tell()
    this.#timer = setInterval(() => {
      this.#telling = this.#measureAndTell()
    }, TELL_MS)
  }

  /** Counts a pass that was answered. */
  answered(): void {
    this.#answers++
  }

  /** Passes per second: the main thread is one, signatures spread over the cores. */
  get perSecond(): number {
    const byMain = 1000 / this.#mainMs
    const byCores = (1000 * availableParallelism()) / this.#cpuMs
    return Math.max(MIN_PER_SECOND, Math.floor(Math.min(byMain, byCores)))
  }

  async #measureAndTell(): Promise<void> {
    const utilization = performance.eventLoopUtilization(this.#utilization)
    const cpu = process.cpuUsage(this.#cpu)
    if (this.#answers >= MIN_ANSWERS) {
      this.#mainMs = mean(this.#mainMs, utilization.active / this.#answers)
      this.#cpuMs = mean(this.#cpuMs, (cpu.user + cpu.system) / 1000 / this.#answers)
    }
    this.#answers = 0
    this.#utilization = performance.eventLoopUtilization()
    this.#cpu = process.cpuUsage()
    await this.#tell()
  }

  async #tell(): Promise<void> {
    const perSecond = this.perSecond
    this.#meters.capacity.set(perSecond)
    const lagMs = Number.isFinite(this.#delay.mean) ? Math.max(0, Math.round(this.#delay.mean / 1e6) - 20) : 0
    this.#delay.reset()
    try {
      const bucket = await this.#nats.kv('capacity')
      await bucket.put(this.#replica, JSON.stringify({ perSecond, lagMs, at: Date.now() }))
    } catch (error) {
      this.#logger.warn({ err: error }, 'the capacity cannot be told')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#telling
    this.#delay.disable()
    try {
      const bucket = await this.#nats.kv('capacity')
      await bucket.delete(this.#replica)
    } catch (error) {
      // It would be forgotten by its age anyway.
      this.#logger.warn({ err: error }, 'the capacity cannot be taken back')
    }
  }
}

function mean(old: number, newest: number): number {
  return old * (1 - NEWEST_WEIGHT) + newest * NEWEST_WEIGHT
}

async function signatureCostMs(): Promise<number> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const data = Buffer.alloc(300)
  const before = performance.now()
  for (let index = 0; index < BENCHMARK_SIGNATURES; index++) sign('sha256', data, privateKey)
  return (performance.now() - before) / BENCHMARK_SIGNATURES
}
