import { acquireLease, type HeldLease, type LeaseOptions } from './lease.ts'

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
  /** The lease was lost: all work has been stopped, and the process must end, so that nothing of it goes on. */
  | { readonly how: 'lost'; readonly reason: unknown }

/** Waits for the lease, leads until the signal aborts or the lease is lost, stops all work, releases the lease. */
export async function runManager(options: ManagerOptions, signal: AbortSignal): Promise<ManagerEnd> {
  const lease = await acquireLease(options, signal)
  if (lease === undefined) return { how: 'stopped' }
  try {
    await leadUntilTheEnd(options, lease, signal)
  } finally {
    await lease[Symbol.asyncDispose]()
  }
  return lease.lost.aborted ? { how: 'lost', reason: lease.lost.reason } : { how: 'stopped' }
}

async function leadUntilTheEnd(options: ManagerOptions, lease: HeldLease, signal: AbortSignal): Promise<void> {
  await using _work = await options.lead(lease.lost)
  const end = AbortSignal.any([signal, lease.lost])
  if (end.aborted) return
  await new Promise((resolve) => end.addEventListener('abort', resolve, { once: true }))
}
