import { createHash } from 'node:crypto'
import type { Clock, Logger } from '@stampede/platform'
import type { KernelMetrics } from './metrics.ts'
import { type KubeObject, nameOf, type ObjectName } from './object.ts'
import { type EventObject, events, header } from './resource.ts'
import type { Scheduler } from './scheduler.ts'
import type { KubeStore } from './store.ts'
import { microTime } from './time.ts'

/** Something worth telling about an object. */
export interface EventInput {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, from a fixed set. */
  readonly reason: string
  /** What the operator was doing, CamelCase, such as `Issue`. */
  readonly action: string
  /** For people; no secrets. Equal notes of one object and reason count as one event. */
  readonly note: string
}

/** Records events for people who describe an object. Never throws and never waits: what cannot be written is counted. */
export interface EventRecorder extends AsyncDisposable {
  record(object: KubeObject, event: EventInput): void
}

/** How to record. */
export interface EventOptions {
  readonly store: KubeStore
  /** Who reports, such as `stampede.dev/operator`. */
  readonly controller: string
  /** Which replica of it. */
  readonly instance: string
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly metrics: KernelMetrics
  readonly logger: Logger
}

/** Longest note that the API takes. */
const noteLengthMax = 1024
/** Events that wait to be written; more are dropped. */
const pendingMax = 256
/** Different events that are remembered in order to count their repetitions. */
const rememberedMax = 1024
/** A repetition within that time after the last write is only counted; the server drops events after an hour. */
export const repeatWriteMs = 5 * 60_000
/** How long the end waits for what is pending. */
const drainMs = 5_000

interface Remembered {
  readonly name: ObjectName
  count: number
  writtenMs: number
}

/** A recorder that writes one event at a time, and a repetition of the same at most every five minutes. */
export function createEventRecorder(options: EventOptions): EventRecorder {
  return new Recorder(options)
}

class Recorder implements EventRecorder {
  readonly #options: EventOptions
  /** By what makes events the same; the least recently used is first. */
  readonly #known = new Map<string, Remembered>()
  readonly #pending: (() => Promise<unknown>)[] = []
  #writing: Promise<void> | undefined
  #isClosed = false

  constructor(options: EventOptions) {
    this.#options = options
  }

  record(object: KubeObject, input: EventInput): void {
    if (this.#isClosed) return
    const note = input.note.slice(0, noteLengthMax)
    const identity = [object.metadata.uid, input.type, input.reason, note].join('\0')
    const known = this.#known.get(identity)
    if (known === undefined) this.#first(identity, object, { ...input, note })
    else this.#repeat(identity, known, { ...input, note })
  }

  #first(identity: string, object: KubeObject, input: EventInput): void {
    const { namespace, name } = nameOf(object)
    const nowMs = this.#options.scheduler.nowMs()
    const hash = createHash('sha256').update(`${identity}\0${this.#options.clock.nowMs()}`).digest('hex').slice(0, 16)
    // Object names have 253 characters at most, an event's as well.
    const remembered = { name: { namespace, name: `${name.slice(0, 200)}.${hash}` }, count: 1, writtenMs: nowMs }
    const event = this.#eventOf(remembered.name, object, input)
    if (!this.#write('written', () => this.#options.store.create(events, event))) return
    this.#remember(identity, remembered)
  }

  #repeat(identity: string, known: Remembered, input: EventInput): void {
    known.count += 1
    this.#remember(identity, known)
    const nowMs = this.#options.scheduler.nowMs()
    if (nowMs - known.writtenMs < repeatWriteMs) {
      this.#options.metrics.eventsRecorded.inc({ outcome: 'repeated' })
      return
    }
    known.writtenMs = nowMs
    const series = { count: known.count, lastObservedTime: microTime(this.#options.clock) }
    this.#write('repeated', () => this.#options.store.patch(events, known.name, { type: input.type, series }))
  }

  #eventOf({ namespace, name }: ObjectName, object: KubeObject, input: EventInput): EventObject {
    const { apiVersion, kind, metadata } = object
    return {
      ...header(events, { namespace, name }),
      eventTime: microTime(this.#options.clock),
      type: input.type,
      reason: input.reason,
      action: input.action,
      note: input.note,
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance,
      regarding: {
        apiVersion,
        kind,
        namespace,
        name: metadata.name,
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      },
    }
  }

  #remember(identity: string, remembered: Remembered): void {
    this.#known.delete(identity)
    this.#known.set(identity, remembered)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= rememberedMax) break
      this.#known.delete(oldest)
    }
  }

  #write(outcome: 'written' | 'repeated', work: () => Promise<unknown>): boolean {
    if (this.#pending.length >= pendingMax) {
      this.#options.metrics.eventsRecorded.inc({ outcome: 'dropped' })
      return false
    }
    this.#pending.push(async () => {
      try {
        await work()
        this.#options.metrics.eventsRecorded.inc({ outcome })
      } catch (error) {
        this.#options.metrics.eventsRecorded.inc({ outcome: 'failed' })
        this.#options.logger.warn({ err: error }, 'a Kubernetes event was not written')
      }
    })
    this.#writing ??= this.#writeAll()
    return true
  }

  async #writeAll(): Promise<void> {
    for (let work = this.#pending.shift(); work !== undefined; work = this.#pending.shift()) await work()
    this.#writing = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    if (this.#writing === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    using _timer = this.#options.scheduler.after(drainMs, resolve)
    await Promise.race([this.#writing, promise])
    this.#pending.length = 0
  }
}
