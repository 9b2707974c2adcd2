import { strict as assert } from 'node:assert'
import type { Clock, Logger } from '@stampede/platform'
import { isKubeError } from './errors.ts'
import type { KernelMetrics } from './metrics.ts'
import type { ObjectName } from './object.ts'
import { header, type LeaseObject, leases } from './resource.ts'
import { pause, type Scheduler, type Timer } from './scheduler.ts'
import { createStore, type KubeStore } from './store.ts'
import { microTime } from './time.ts'
import type { KubeTransport } from './transport.ts'

/** Timings of an election; the defaults are those of Kubernetes' own controllers. */
export interface LeaseTimings {
  /** Others take over when they saw no change for that long; default 15 s. */
  readonly durationMs: number
  /** The leader gives up when it could not renew for that long; default 10 s. Must be below durationMs. */
  readonly renewDeadlineMs: number
  /** Between two tries; default 2 s. Must be below renewDeadlineMs. */
  readonly retryMs: number
}

/** What an election needs. */
export interface LeaseOptions {
  readonly transport: KubeTransport
  readonly lease: ObjectName
  /** Who we are; unique among the replicas and among the lives of one replica. */
  readonly identity: string
  readonly timings: LeaseTimings
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly metrics: KernelMetrics
  readonly logger: Logger
}

/** A lease that we hold. Disposing it releases it when it still is ours. */
export interface HeldLease extends AsyncDisposable {
  /** Aborts when the lease is lost; its reason says how. Whoever led must stop all work and end the process. */
  readonly lost: AbortSignal
  /** Stops renewing without releasing, for a leader whose work may still be running: nobody leads until it expires. */
  abandon(): void
}

/** Why `lost` aborted. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly code = 'leaseLost'
}

/** 15 s, 10 s and 2 s. */
export const defaultLeaseTimings: LeaseTimings = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 }

/** What was last seen of the lease, and when by our own monotonic clock. */
interface Observation {
  /** The spec as text: a label that somebody sets on the lease of a dead leader is no sign of life. */
  readonly spec: string
  readonly atMs: number
}

/**
 * Waits until the lease is ours; undefined when the signal aborts before. Clocks of different machines are never
 * compared: a lease has expired when *we* saw no change of it for its duration.
 */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<HeldLease | undefined> {
  const { timings, scheduler, logger } = options
  assert(timings.retryMs < timings.renewDeadlineMs && timings.renewDeadlineMs < timings.durationMs, 'lease timings')
  // Two tries must fit into the renew deadline, also when the first one hangs.
  const store = createStore(options.transport, {
    fieldManager: options.identity,
    timeoutMs: timings.renewDeadlineMs / 2,
  })
  options.metrics.leader.set(0)
  let seen: Observation | undefined
  while (!signal.aborted) {
    try {
      const current = await store.get(leases, options.lease)
      const startedMs = scheduler.nowMs()
      seen = observe(seen, current, startedMs)
      if (isFree(current, seen, options)) {
        return new Holder(options, store, await take(store, options, current), startedMs)
      }
    } catch (error) {
      logger.warn({ err: error, lease: options.lease.name }, 'the lease was not acquired')
    }
    await pause(scheduler, timings.retryMs * (1 + scheduler.random()), signal)
  }
  return undefined
}

function observe(seen: Observation | undefined, current: LeaseObject | undefined, nowMs: number): Observation {
  const spec = JSON.stringify(current?.spec ?? {})
  return seen?.spec === spec ? seen : { spec, atMs: nowMs }
}

function isFree(current: LeaseObject | undefined, seen: Observation, { timings, scheduler }: LeaseOptions): boolean {
  const holder = current?.spec?.holderIdentity ?? ''
  if (holder === '') return true
  // The holder's own promise counts when it is longer than ours, as while timings are rolled out.
  const promisedMs = (current?.spec?.leaseDurationSeconds ?? 0) * 1000
  return scheduler.nowMs() - seen.atMs >= Math.max(timings.durationMs, promisedMs)
}

/** Writes ourselves into the lease; the resourceVersion makes it fail when another one was faster. */
async function take(store: KubeStore, options: LeaseOptions, current: LeaseObject | undefined): Promise<LeaseObject> {
  const now = microTime(options.clock)
  const spec = {
    holderIdentity: options.identity,
    leaseDurationSeconds: Math.ceil(options.timings.durationMs / 1000),
    acquireTime: now,
    renewTime: now,
    leaseTransitions: (current?.spec?.leaseTransitions ?? -1) + 1,
  }
  if (current === undefined) return store.create(leases, { ...header(leases, options.lease), spec })
  return store.update(leases, { ...current, spec })
}

class Holder implements HeldLease {
  readonly #options: LeaseOptions
  readonly #store: KubeStore
  readonly #lost = new AbortController()
  readonly #stop = new AbortController()
  readonly #renewing: Promise<void>
  #lease: LeaseObject
  #deadline: Timer

  constructor(options: LeaseOptions, store: KubeStore, lease: LeaseObject, takenMs: number) {
    this.#options = options
    this.#store = store
    this.#lease = lease
    this.#deadline = this.#armDeadline(takenMs)
    options.metrics.leader.set(1)
    options.logger.info({ lease: options.lease.name, identity: options.identity }, 'leading')
    this.#renewing = this.#renewAll()
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  abandon(): void {
    this.#stop.abort()
    this.#deadline[Symbol.dispose]()
    this.#options.metrics.leader.set(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abandon()
    await this.#renewing
    if (this.#lost.signal.aborted) return
    try {
      await this.#store.update(leases, {
        ...this.#lease,
        spec: { ...this.#lease.spec, holderIdentity: '', leaseDurationSeconds: 1 },
      })
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the lease was not released; it expires by itself')
    }
  }

  async #renewAll(): Promise<void> {
    const { timings, scheduler, logger, lease } = this.#options
    const ended = AbortSignal.any([this.#stop.signal, this.#lost.signal])
    for (;;) {
      await pause(scheduler, timings.retryMs, ended)
      if (ended.aborted) return
      // From before the request: the others may have seen its effect that early.
      const startedMs = scheduler.nowMs()
      try {
        await this.#renew()
        if (ended.aborted) return
        this.#deadline[Symbol.dispose]()
        this.#deadline = this.#armDeadline(startedMs)
      } catch (error) {
        logger.warn({ err: error, lease: lease.name }, 'the lease was not renewed')
      }
    }
  }

  async #renew(): Promise<void> {
    try {
      const spec = { ...this.#lease.spec, renewTime: microTime(this.#options.clock) }
      this.#lease = await this.#store.update(leases, { ...this.#lease, spec })
    } catch (error) {
      if (!isKubeError(error, 'conflict') && !isKubeError(error, 'notFound')) throw error
      await this.#renewAfterConflict()
    }
  }

  /** Somebody wrote or deleted the lease: ours is what still names us, or what we can create before anybody else. */
  async #renewAfterConflict(): Promise<void> {
    const current = await this.#store.get(leases, this.#options.lease)
    const holder = current?.spec?.holderIdentity
    if (current !== undefined && holder !== this.#options.identity) {
      this.#lose(holder === '' ? 'the lease was emptied' : `the lease was taken by ${holder}`)
      return
    }
    this.#lease = await take(this.#store, this.#options, current)
  }

  #armDeadline(renewedMs: number): Timer {
    const { scheduler, timings } = this.#options
    const leftMs = renewedMs + timings.renewDeadlineMs - scheduler.nowMs()
    return scheduler.after(leftMs, () => this.#lose(`the lease was not renewed within ${timings.renewDeadlineMs} ms`))
  }

  #lose(how: string): void {
    if (this.#lost.signal.aborted || this.#stop.signal.aborted) return
    this.#deadline[Symbol.dispose]()
    this.#options.metrics.leader.set(0)
    this.#options.logger.error({ lease: this.#options.lease.name }, how)
    this.#lost.abort(new LeaseLostError(how))
  }
}
