import { createHash } from 'node:crypto'
import type { Nats } from './nats.ts'
import type { PlatformConfig } from './platform-config.ts'
import { isRole, type Role } from './roles.ts'
import { buckets } from './subjects.ts'
import { watchBucket } from './watch-bucket.ts'

/** Who calls. */
export interface Caller {
  /** Id of the API key, fit for logs. */
  readonly keyId: string
  readonly role: Role
  /** Slugs of the brands it may see. */
  readonly brands: 'all' | readonly string[]
}

/** All API keys that are valid now, in memory: no I/O per call. */
export interface AccessDirectory {
  /** Owner of the key with this SHA-256 (64 hexadecimal digits). */
  find(keySha256: string): Caller | undefined
}

/** SHA-256 of an API key in hexadecimal: the only form in which keys are stored. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

type ConfiguredKeys = Pick<PlatformConfig, 'rootKeySha256' | 'serviceKeySha256'>

/** The keys that the environment gives: root (admin) and internal (service). */
export function configuredCallers(config: ConfiguredKeys): ReadonlyMap<string, Caller> {
  const callers = new Map<string, Caller>()
  const { rootKeySha256: root, serviceKeySha256: service } = config
  if (root) callers.set(root, { keyId: 'root', role: 'admin', brands: 'all' })
  if (service) callers.set(service, { keyId: 'service', role: 'service', brands: 'all' })
  return callers
}

/**
 * Follows the bucket `access`, so that a new or revoked key counts at once; the keys of the environment count too
 * and cannot be overridden. Disposing stops following.
 */
export async function watchAccess(nats: Nats, config: ConfiguredKeys): Promise<AccessDirectory & AsyncDisposable> {
  const configured = configuredCallers(config)
  const stored = new Map<string, Caller>()
  const watch = await watchBucket(nats, buckets.access, (hash, value) => {
    const caller = value && parseAccessRecord(value)
    if (caller) stored.set(hash, caller)
    else stored.delete(hash)
  })
  return {
    find: (hash) => configured.get(hash) ?? stored.get(hash),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  }
}

/**
 * Reads one value of the bucket `access`: `{"keyId","role","brands":["slug"]}`. Anything else, an empty value
 * included, grants nothing: that is how a key is revoked.
 */
export function parseAccessRecord(data: Uint8Array): Caller | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
    return isAccessRecord(record) ? { keyId: record.keyId, role: record.role, brands: record.brands } : undefined
  } catch {
    return undefined
  }
}

function isAccessRecord(value: unknown): value is { keyId: string; role: Role; brands: 'all' | string[] } {
  if (typeof value !== 'object' || value === null) return false
  const { keyId, role, brands } = value as Record<string, unknown>
  const brandsFit = brands === 'all' || (Array.isArray(brands) && brands.every((brand) => typeof brand === 'string'))
  return typeof keyId === 'string' && typeof role === 'string' && isRole(role) && brandsFit
}
