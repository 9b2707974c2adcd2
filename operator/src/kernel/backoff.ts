/** Waits between tries. */
export interface BackoffOptions {
  /** After the first failure. */
  readonly firstMs: number
  /** Never longer than this. */
  readonly capMs: number
}

/** Defaults of a controller: quick while a hiccup lasts, easy on the servers when it does not. */
export const reconcileBackoff: BackoffOptions = { firstMs: 1_000, capMs: 5 * 60_000 }

/** Share of a wait that chance may take away, so that many clients that failed together do not return together. */
const jitterShare = 0.2

/** Wait after so many failures in a row (1 = the first): doubles up to the cap, less a fifth at most by chance. */
export function backoffMs(options: BackoffOptions, failures: number, random: number): number {
  // Above 2^30 the product is beyond any cap, and 2^1024 would be infinite.
  const full = Math.min(options.capMs, options.firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30))
  return full * (1 - jitterShare * random)
}
