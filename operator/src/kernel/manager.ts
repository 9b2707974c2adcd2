import { acquireLease, type HeldLease, type LeaseOptions } from './lease.ts'
import { pause } from './scheduler.ts'

/** What only the leader runs. */
export interface ManagerOptions extends LeaseOptions {
  /**
   * Starts informers and controllers, in that order, once the lease is held. `lost` aborts when it no longer is. What
   * it gives back is disposed (stops all work) before the lease is released.
   */
  readonly lead: (lost: AbortSignal) => Promise<AsyncDisposable>
}

/** How leading ended. */
export type ManagerEnd =
  /** The signal aborted; the lease, if it was held, is released. */
  | { readonly how: 'stopped' }
  /** The lease was lost and all work was told to stop. The process must end now, so that nothing of it goes on. */
  | { readonly how: 'lost'; readonly reason: unknown }

/** After a loss somebody else may lead already: what runs gets this long to notice, then the process has to end. */
const lostDrainMs = 2_000

/**
 * Waits for the lease, leads until the signal aborts or the lease is lost, stops all work, releases the lease. When
 * work does not stop, or does not even start, the lease is not released but expires, and the error is thrown: the
 * process must end.
 */
export async function runManager(options: ManagerOptions, signal: AbortSignal): Promise<ManagerEnd> {
  const lease = await acquireLease(options, signal)
  if (lease === undefined) return { how: 'stopped' }
  try {
    const work = await options.lead(lease.lost)
    await aborted(AbortSignal.any([signal, lease.lost]))
    await stopWork(work, lease, options)
  } catch (error) {
    lease.abandon()
    throw error
  }
  await lease[Symbol.asyncDispose]()
  return lease.lost.aborted ? { how: 'lost', reason: lease.lost.reason } : { how: 'stopped' }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

async function stopWork(work: AsyncDisposable, lease: HeldLease, { scheduler }: ManagerOptions): Promise<void> {
  const stopped = Promise.resolve(work[Symbol.asyncDispose]())
  if (!lease.lost.aborted) {
    await stopped
    return
  }
  await Promise.race([stopped, pause(scheduler, lostDrainMs, new AbortController().signal)])
}
