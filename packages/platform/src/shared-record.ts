import type { Nats } from './nats.ts'
import { fromNats, isWrongLastSequence } from './nats-errors.ts'
import { type BucketName, subjectToken } from './subjects.ts'

/** How often a change is tried against others before it counts as a broker that does not keep up. */
const CHANGES_MAX = 50

/** Names one record: a bucket that lets entries expire, and the parts of its key, which may be any text. */
export interface SharedKey {
  readonly bucket: BucketName
  readonly parts: readonly string[]
}

/** A record as it stands. */
export interface SharedRecord {
  /** What JSON made of it; undefined when there is none, or none any more. */
  readonly value: unknown
  /** What `writeShared` must be told so that nobody else's change is overwritten. */
  readonly revision: number
}

/** Reads a record from the leader of its bucket, never from a copy that lags. Throws UNAVAILABLE. */
export async function readShared(nats: Nats, key: SharedKey): Promise<SharedRecord> {
  try {
    const message = await nats.manager.streams.getMessage(`KV_${key.bucket}`, { last_by_subj: subjectOf(key) })
    if (message === null) return { value: undefined, revision: 0 }
    return { value: parse(message.data), revision: message.seq }
  } catch (error) {
    throw fromNats(error)
  }
}

/**
 * Replaces a record that still has the revision; false when it has another one. The broker forgets the new value
 * after `lifeMs` (rounded up to seconds). Throws UNAVAILABLE: then it may have been written or not.
 */
export async function writeShared(
  nats: Nats,
  key: SharedKey,
  value: object,
  { revision, lifeMs }: { readonly revision: number; readonly lifeMs: number },
): Promise<{ readonly revision: number } | false> {
  try {
    const { seq } = await nats.jetstream.publish(subjectOf(key), JSON.stringify(value), {
      expect: { lastSubjectSequence: revision },
      ttl: `${Math.ceil(lifeMs / 1_000)}s`,
    })
    return { revision: seq }
  } catch (error) {
    if (isWrongLastSequence(error)) return false
    throw fromNats(error)
  }
}

/** What a change makes of a record: the result, and the value to write first, if any. */
export interface SharedChange<T> {
  readonly result: T
  readonly write?: object
}

/**
 * Changes a record as if nobody else did at the same time: `change` is asked again with the newest value until its
 * answer could be written. Throws UNAVAILABLE, also when others are always faster.
 */
export async function changeShared<T>(
  nats: Nats,
  key: SharedKey,
  lifeMs: number,
  change: (value: unknown) => SharedChange<T>,
): Promise<T> {
  for (let tries = 0; tries < CHANGES_MAX; tries++) {
    const { value, revision } = await readShared(nats, key)
    const { result, write } = change(value)
    if (write === undefined || (await writeShared(nats, key, write, { revision, lifeMs })) !== false) return result
  }
  throw fromNats(new Error(`record ${subjectOf(key)} changes too fast`))
}

function subjectOf({ bucket, parts }: SharedKey): string {
  return `$KV.${bucket}.${parts.map(subjectToken).join('.')}`
}

/** An expired entry leaves an empty marker for a moment. */
function parse(data: Uint8Array): unknown {
  try {
    return data.length === 0 ? undefined : JSON.parse(Buffer.from(data).toString('utf8'))
  } catch {
    return undefined
  }
}
