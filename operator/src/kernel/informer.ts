import type { Logger } from '@stampede/platform'
import { type BackoffOptions, backoffMs } from './backoff.ts'
import { fromStatusObject, fromTransport, KubeError, type KubeErrorCode } from './errors.ts'
import type { KernelMetrics } from './metrics.ts'
import { type KubeObject, keyOf } from './object.ts'
import { collectionPath, type Resource } from './resource.ts'
import { pause, type Scheduler } from './scheduler.ts'
import type { KubeStore } from './store.ts'
import type { KubeRequest, KubeTransport } from './transport.ts'
import { readLines, SilentWatchError } from './watch-lines.ts'

/** A change of the cache; `before` is undefined for a new object, `after` for a deleted one. */
export interface Change<T> {
  readonly key: string
  readonly before: T | undefined
  readonly after: T | undefined
}

/** Timings of an informer, in milliseconds. */
export interface InformerTimings {
  /** The server is asked to end a watch after between one and two times that long; default 5 min. */
  readonly watchMs: number
  /**
   * A watch that says nothing for that long, no event and no bookmark, is given up; default 2 min. The server sends
   * bookmarks about every minute.
   */
  readonly silenceMs: number
  /** Every key is reported again after that long, up to a tenth earlier; default 10 h. */
  readonly resyncMs: number
  /** Waits after failures. */
  readonly backoff: BackoffOptions
}

/** What to keep a cache of. */
export interface InformerOptions<T extends KubeObject> {
  readonly transport: KubeTransport
  readonly store: KubeStore
  readonly resource: Resource<T>
  /** Empty = all namespaces. */
  readonly namespace: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly timings?: Partial<InformerTimings>
  readonly scheduler: Scheduler
  readonly metrics: KernelMetrics
  readonly logger: Logger
}

/** Called after the cache has changed, and for each object at a resync (`before` is `after`). Must only enqueue. */
export type ChangeListener<T> = (change: Change<T>) => void

/** A cache of objects that follows the server, whatever happens to the connection. Disposing ends it. */
export interface Informer<T extends KubeObject> extends AsyncDisposable {
  /** The cached object; may be stale. */
  get(key: string): T | undefined
  /** All cached objects. */
  list(): readonly T[]
  /** Resolves when the first list is in the cache. */
  readonly synced: Promise<void>
  /** Adds a listener; it hears of everything that is cached already. */
  listen(listener: ChangeListener<T>): void
}

/** Defaults, see InformerTimings. */
export const defaultInformerTimings: InformerTimings = {
  watchMs: 5 * 60_000,
  silenceMs: 2 * 60_000,
  resyncMs: 10 * 3_600_000,
  backoff: { firstMs: 500, capMs: 30_000 },
}

/** Trouble on the way to the server, after which a watch can go on where it was. */
const passing: ReadonlySet<KubeErrorCode> = new Set(['unreachable', 'tooManyRequests', 'unauthorized'])
/** Events of a watch besides ERROR. */
const eventTypes: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'])
const resyncJitterShare = 0.1

interface WatchEvent<T> {
  readonly type: string
  readonly object: T
}

/** Starts to list and to watch. Never gives up: failures are counted, logged and tried again with back-off. */
export function startInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  return new CachingInformer(options)
}

class CachingInformer<T extends KubeObject> implements Informer<T> {
  readonly #options: InformerOptions<T>
  readonly #timings: InformerTimings
  readonly #labels: { readonly resource: string }
  readonly #objects = new Map<string, T>()
  readonly #listeners: ChangeListener<T>[] = []
  readonly #stop = new AbortController()
  readonly #synced = Promise.withResolvers<void>()
  readonly #running: Promise<unknown>
  /** From where the next watch goes on; undefined = list first. */
  #resourceVersion: string | undefined
  #failures = 0

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#timings = { ...defaultInformerTimings, ...options.timings }
    this.#labels = { resource: options.resource.plural }
    this.#running = Promise.all([this.#follow(), this.#resync()])
  }

  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): readonly T[] {
    return [...this.#objects.values()]
  }

  listen(listener: ChangeListener<T>): void {
    this.#listeners.push(listener)
    for (const [key, object] of this.#objects) listener({ key, before: undefined, after: object })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #follow(): Promise<void> {
    const { scheduler } = this.#options
    while (!this.#stop.signal.aborted) {
      const waitMs = await this.#step()
      await pause(scheduler, waitMs, this.#stop.signal)
    }
  }

  /** One list, or one watch from its start to its end. Gives back how long the next step has to wait. */
  async #step(): Promise<number> {
    try {
      if (this.#resourceVersion === undefined) await this.#relist()
      else await this.#watch(this.#resourceVersion)
      return 0
    } catch (error) {
      const known = fromTransport(error)
      this.#failures += 1
      // Whatever is not plain trouble on the way may be due to the version that we asked for.
      if (!passing.has(known.code)) this.#resourceVersion = undefined
      if (!this.#stop.signal.aborted) this.#options.logger.warn({ err: known, ...this.#labels }, 'blind for a moment')
      const jitter = this.#options.scheduler.random()
      if (known.retryAfterMs !== undefined) return known.retryAfterMs * (1 + jitter)
      return backoffMs(this.#timings.backoff, this.#failures, jitter)
    }
  }

  async #relist(): Promise<void> {
    const { resource, store, metrics } = this.#options
    try {
      const { items, resourceVersion } = await store.list(resource, { ...this.#selection(), signal: this.#stop.signal })
      this.#replaceAll(items)
      this.#heard(resourceVersion)
    } catch (error) {
      metrics.informerListFailures.inc({ ...this.#labels, code: fromTransport(error).code })
      throw error
    }
    metrics.informerRelists.inc(this.#labels)
    this.#synced.resolve()
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { scheduler, metrics } = this.#options
    const startedMs = scheduler.nowMs()
    let lines = 0
    const cause = await this.#watchToItsEnd(resourceVersion, () => {
      lines += 1
      this.#failures = 0
    })
    metrics.informerWatchEnds.inc({ ...this.#labels, cause })
    // A server, or something before it, that closes each watch at once must not be asked in a tight loop.
    const isUseless = lines === 0 && scheduler.nowMs() - startedMs < this.#timings.backoff.firstMs
    if (isUseless) throw new KubeError('unreachable', 'a watch was closed at once')
  }

  async #watchToItsEnd(resourceVersion: string, onLine: () => void): Promise<'closed' | 'silent'> {
    const { transport, scheduler, metrics } = this.#options
    try {
      const answer = await transport.openStream(this.#watchRequest(resourceVersion))
      for await (const line of readLines(answer, this.#timings.silenceMs, scheduler)) {
        this.#take(line)
        onLine()
      }
      return 'closed'
    } catch (error) {
      if (error instanceof SilentWatchError) return error.code
      metrics.informerWatchEnds.inc({ ...this.#labels, cause: fromTransport(error).code })
      throw error
    }
  }

  #watchRequest(resourceVersion: string): KubeRequest {
    const { namespace, ...selectors } = this.#selection()
    const watchMs = this.#timings.watchMs * (1 + this.#options.scheduler.random())
    const timeoutSeconds = Math.ceil(watchMs / 1000)
    return {
      method: 'GET',
      path: collectionPath(this.#options.resource, namespace),
      query: { watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds, ...selectors },
      signal: this.#stop.signal,
    }
  }

  #selection() {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return { namespace, labelSelector, fieldSelector }
  }

  /** Takes one line of a watch; throws what an ERROR event says, and `serverError` for what is no event. */
  #take(line: string): void {
    const { type, object } = this.#parse(line)
    if (type === 'ERROR') throw fromStatusObject(object)
    this.#heard(object.metadata.resourceVersion)
    if (type !== 'BOOKMARK') this.#put(keyOf(object), type === 'DELETED' ? undefined : object)
  }

  #parse(line: string): WatchEvent<T> {
    try {
      const event = JSON.parse(line) as WatchEvent<T>
      if (event.type === 'ERROR' || (eventTypes.has(event.type) && event.object.metadata.resourceVersion)) return event
    } catch {
      // Counted below: a line that is lost is a change that is lost, so the cache has to list again.
    }
    this.#options.metrics.informerBadEvents.inc(this.#labels)
    throw new KubeError('serverError', 'a line of a watch is no event')
  }

  /** Puts a whole list in the place of the cache; what was deleted while nobody looked is reported too. */
  #replaceAll(items: readonly T[]): void {
    const listed = new Set(items.map(keyOf))
    for (const key of [...this.#objects.keys()]) if (!listed.has(key)) this.#put(key, undefined)
    for (const item of items) this.#put(keyOf(item), item)
  }

  #put(key: string, after: T | undefined): void {
    const before = this.#objects.get(key)
    if (before?.metadata.resourceVersion === after?.metadata.resourceVersion) return
    if (after === undefined) this.#objects.delete(key)
    else this.#objects.set(key, after)
    this.#tell({ key, before, after })
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        // The fault of a listener must not make the cache, and with it all the others, blind.
        this.#options.logger.error({ err: error, ...this.#labels, key: change.key }, 'a listener of changes threw')
      }
    }
  }

  #heard(resourceVersion: string | undefined): void {
    this.#resourceVersion = resourceVersion
    this.#options.metrics.informerContact.set(this.#labels, Date.now() / 1000)
    this.#options.metrics.informerObjects.set(this.#labels, this.#objects.size)
  }

  async #resync(): Promise<void> {
    const { scheduler } = this.#options
    for (;;) {
      await pause(scheduler, this.#timings.resyncMs * (1 - resyncJitterShare * scheduler.random()), this.#stop.signal)
      if (this.#stop.signal.aborted) return
      for (const [key, object] of this.#objects) this.#tell({ key, before: object, after: object })
    }
  }
}
