/** How a reconcile ended well. */
export interface Reconciled {
  /** Reconcile the key again after that long; undefined = when something changes. */
  readonly requeueAfterMs?: number
}

/**
 * Thrown by a reconcile that cannot go on now and knows when it can, such as after a Retry-After: tried again after
 * exactly `delayMs`, without growing back-off.
 */
export class TemporaryError extends Error {
  override readonly name = 'TemporaryError'
  readonly code = 'temporary'
  readonly delayMs: number

  constructor(message: string, delayMs: number, cause?: unknown) {
    super(message, { cause })
    this.delayMs = delayMs
  }
}

/**
 * Thrown by a reconcile that cannot succeed until somebody changes the object: not tried again until it changes, or
 * the resync.
 */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  readonly code = 'permanent'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }
}
