import { randomUUID } from 'node:crypto'
import { type Clock, changeShared, type Nats } from '@stampede/platform'
import { claimNow, HeldClaim, isBusy, parseClaimed } from '../claim.ts'

/** Longer than a message of the queue can be in a replica's hands, in milliseconds. */
const RECORD_LIFE_MS = 600_000

/** A resource claimed for writing a version; or another replica writes it now; or it wrote a newer version. */
export type WriteClaim = HeldClaim | 'busy' | 'superseded'

/**
 * Claims a resource for writing a version: calls of one resource never overlap, at whichever replica, and a newer
 * version is never followed by an older one. `key` names kind and resource. Throws UNAVAILABLE.
 */
export async function claimWrite(nats: Nats, clock: Clock, key: string, version: bigint): Promise<WriteClaim> {
  const shared = { bucket: 'google', parts: ['write', key] } as const
  const nowMs = clock.nowMs()
  const claimed = claimNow(randomUUID(), nowMs)
  const refusal = await changeShared(nats, shared, RECORD_LIFE_MS, (value) => {
    if (isBusy(parseClaimed(value), nowMs)) return { result: 'busy' as const }
    if (versionIn(value) > version) return { result: 'superseded' as const }
    return { result: undefined, write: { ...claimed, version: String(version) } }
  })
  return refusal ?? new HeldClaim({ nats, clock, key: shared, lifeMs: RECORD_LIFE_MS }, claimed)
}

function versionIn(value: unknown): bigint {
  const { version } = (value ?? {}) as Record<string, unknown>
  return typeof version === 'string' && /^\d{1,19}$/.test(version) ? BigInt(version) : -1n
}
