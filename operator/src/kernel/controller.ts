import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@stampede/platform'
import { type BackoffOptions, reconcileBackoff } from './backoff.ts'
import type { Change, Informer } from './informer.ts'
import type { KernelMetrics } from './metrics.ts'
import { type KubeObject, keyOf } from './object.ts'
import { PermanentError, type Reconciled, TemporaryError } from './outcome.ts'
import { createQueue, type WorkQueue } from './queue.ts'
import type { Scheduler } from './scheduler.ts'

/** What a reconcile is given besides its key. */
export interface ReconcileContext {
  /** Aborts at the deadline of this reconcile, and when the controller stops. Pass it on to everything that waits. */
  readonly signal: AbortSignal
}

/**
 * Makes the world of one key as it should be, whatever changed: reads, decides, acts, and may be run again at any
 * time. Throws TemporaryError or PermanentError to decide about the next try; anything else is tried again with
 * growing waits.
 */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<Reconciled>

/** Where keys come from. Make one with `watchObjects` or `watchDependents`. */
export interface Source {
  /** Connects the cache to the queue. */
  readonly connect: (add: (key: string) => void) => void
  readonly synced: Promise<void>
}

/** What a controller does and within what limits. */
export interface ControllerOptions {
  /** Name in metrics and logs. */
  readonly name: string
  readonly sources: readonly Source[]
  readonly reconcile: Reconcile
  /** Keys worked on at the same time; default 4. */
  readonly concurrency?: number
  /** Longest time of one reconcile; default 2 min. */
  readonly deadlineMs?: number
  /** Waits after failures; default from 1 s to 5 min. */
  readonly backoff?: BackoffOptions
  readonly scheduler: Scheduler
  readonly metrics: KernelMetrics
  readonly logger: Logger
}

/**
 * A running controller. Disposing stops it: nothing new starts, what runs is told to stop. Throws when that has not
 * ended within `drainMs`.
 */
export interface Controller extends AsyncDisposable {
  /** Reconciles a key soon, or after a while, for a reason that no cache knows. */
  enqueue(key: string, afterMs?: number): void
}

const defaultConcurrency = 4
const defaultDeadlineMs = 2 * 60_000
/** Keys of one controller. */
const keysMax = 100_000
/** What runs is told to stop at once; it has this long to end. */
export const drainMs = 20_000

/**
 * Reconciles each object of a cache when something other than its status changed: a controller that writes a status
 * must not wake itself, least of all out of its back-off.
 */
export function watchObjects<T extends KubeObject>(informer: Informer<T>): Source {
  return {
    synced: informer.synced,
    connect: (add) => informer.listen((change) => isWorthALook(change) && add(change.key)),
  }
}

/** Reconciles the keys that `keysOf` names whenever an object of a cache changes, of the new and of the old object. */
export function watchDependents<T extends KubeObject>(
  informer: Informer<T>,
  keysOf: (object: T) => readonly string[],
): Source {
  return {
    synced: informer.synced,
    connect: (add) =>
      informer.listen(({ before, after }) => {
        for (const object of [before, after]) if (object !== undefined) for (const key of keysOf(object)) add(key)
      }),
  }
}

/** Keys of the owners of that kind that an object names, for `watchDependents`. */
export function ownerKeys(object: KubeObject, kind: string): readonly string[] {
  const owners = (object.metadata.ownerReferences ?? []).filter((owner) => owner.kind === kind)
  const namespace = object.metadata.namespace ?? ''
  return owners.map(({ apiVersion, name }) => keyOf({ apiVersion, kind, metadata: { namespace, name } }))
}

/** Whether a change touches more than the status. A resync (`before` is `after`) always counts. */
function isWorthALook<T extends KubeObject>({ before, after }: Change<T>): boolean {
  if (before === undefined || after === undefined || before === after) return true
  return !isDeepStrictEqual(steered(before), steered(after))
}

/** What of an object steers a controller. Kinds without a generation, such as Secrets, are compared by version. */
function steered({ metadata }: KubeObject): unknown {
  const { uid, generation, labels, annotations, finalizers, deletionTimestamp, resourceVersion } = metadata
  return [uid, generation ?? resourceVersion, labels, annotations, finalizers, deletionTimestamp]
}

/** Starts a controller; it works as soon as every source has its first list. */
export function startController(options: ControllerOptions): Controller {
  const stop = new AbortController()
  const { name, scheduler, metrics, logger } = options
  const queue = createQueue({
    name,
    concurrency: options.concurrency ?? defaultConcurrency,
    backoff: options.backoff ?? reconcileBackoff,
    keysMax,
    scheduler,
    metrics,
    handle: (key) => reconcileOnce(options, key, stop.signal),
    onFailure: (key, error, retryMs) => {
      if (!stop.signal.aborted) logger.warn({ err: error, controller: name, key, retryMs }, 'a reconcile failed')
    },
  })
  void connectWhenSynced(options.sources, queue, stop.signal)
  return {
    enqueue: (key, afterMs = 0) => (afterMs > 0 ? queue.addAfter(key, afterMs) : queue.add(key)),
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error(`the controller ${name} stops`))
      if (!(await queue.drain(drainMs))) throw new Error(`a reconcile of ${name} does not end within ${drainMs} ms`)
    },
  }
}

/** Before all caches are filled a reconcile would take what it does not see for missing, and make it twice. */
async function connectWhenSynced(sources: readonly Source[], queue: WorkQueue, stopped: AbortSignal): Promise<void> {
  await Promise.all(sources.map((source) => source.synced))
  if (stopped.aborted) return
  for (const source of sources) source.connect((key) => queue.add(key))
}

async function reconcileOnce(options: ControllerOptions, key: string, stopped: AbortSignal): Promise<Reconciled> {
  const { name, metrics, scheduler, deadlineMs = defaultDeadlineMs } = options
  const startedMs = scheduler.nowMs()
  const tooLate = new AbortController()
  using _timer = scheduler.after(deadlineMs, () =>
    tooLate.abort(new Error(`the reconcile did not end within ${deadlineMs} ms`)),
  )
  const count = (outcome: string): void =>
    metrics.reconcileSeconds.observe({ controller: name, outcome }, (scheduler.nowMs() - startedMs) / 1000)
  try {
    const result = await options.reconcile(key, { signal: AbortSignal.any([stopped, tooLate.signal]) })
    count('done')
    metrics.reconcileSuccess.set({ controller: name }, Date.now() / 1000)
    return result
  } catch (error) {
    count(error instanceof TemporaryError ? 'temporary' : error instanceof PermanentError ? 'permanent' : 'failed')
    throw error
  }
}
