import { createHash } from 'node:crypto'

const HOUR_MS = 3_600_000
/** Renewals of brands that were added together are spread over this share of the time that is left. */
const JITTER_SHARE = 0.1

/** Life of a certificate, Unix ms. */
export interface Life {
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/**
 * When a certificate is renewed, Unix ms, whole seconds (the status keeps no more; with a fraction the comparison after
 * a restart would differ). By default at two thirds of its life; a `renewBefore` (`720h`) that is as long as the life
 * itself would renew for ever and is not followed. The seed (the brand's uid) delays it by up to a tenth of what is
 * left, always by the same: brands that were added in one hour do not renew in one hour.
 */
export function renewalTimeMs(life: Life, renewBefore: string | undefined, seed: string): number {
  const lifeMs = life.notAfterMs - life.notBeforeMs
  const wantedMs = renewBefore === undefined ? lifeMs / 3 : Number.parseInt(renewBefore, 10) * HOUR_MS
  const beforeMs = wantedMs < lifeMs ? wantedMs : lifeMs / 3
  const atMs = life.notAfterMs - beforeMs * (1 - JITTER_SHARE * shareOf(seed))
  return Math.floor(atMs / 1000) * 1000
}

/** A number from 0 to 1 (excluded) that depends on the text alone. */
function shareOf(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32
}
