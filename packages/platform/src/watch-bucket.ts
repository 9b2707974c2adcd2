import { setTimeout as sleep } from 'node:timers/promises'
import type { KvWatchEntry } from '@nats-io/kv'
import { unavailable } from './errors.ts'
import type { Nats } from './nats.ts'
import type { BucketName } from './subjects.ts'

/** How long the first read of a bucket may take. */
const FIRST_READ_MS = 15_000
/** Pause before a watch that ended is begun anew. */
const REWATCH_MS = 500

/** Told about each key of a bucket: its newest value, undefined once it is deleted or emptied. */
export type BucketListener = (key: string, value: Uint8Array | undefined) => void

interface Watch {
  readonly nats: Nats
  readonly name: BucketName
  readonly listener: BucketListener
  readonly stopping: AbortSignal
  /** Called once all that was in the bucket has been told; later calls do nothing. */
  caughtUp(): void
}

/**
 * Follows a key-value bucket. Resolves when the listener has seen all that was in it; UNAVAILABLE if that takes
 * over 15 s. A watch that breaks off is begun anew and tells every key again. Disposing stops it.
 */
export async function watchBucket(nats: Nats, name: BucketName, listener: BucketListener): Promise<AsyncDisposable> {
  const caughtUp = Promise.withResolvers<void>()
  const stopping = new AbortController()
  const following = follow({ nats, name, listener, stopping: stopping.signal, caughtUp: caughtUp.resolve })
  const stop = async (): Promise<void> => {
    stopping.abort()
    await following
  }
  const tooLate = setTimeout(() => caughtUp.reject(unavailable(`bucket ${name} cannot be read`)), FIRST_READ_MS)
  try {
    await caughtUp.promise
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(tooLate)
  }
  return { [Symbol.asyncDispose]: stop }
}

async function follow(watch: Watch): Promise<void> {
  while (!watch.stopping.aborted && !watch.nats.connection.isClosed()) {
    try {
      await followOnce(watch)
    } catch {
      // The connection logs its own losses; what is known stays valid until it is back.
    }
    await sleep(REWATCH_MS, undefined, { signal: watch.stopping }).catch(() => undefined)
  }
}

async function followOnce({ nats, name, listener, stopping, caughtUp }: Watch): Promise<void> {
  const kv = await nats.kv(name)
  const entries = await kv.watch()
  const onStop = (): void => entries.stop()
  stopping.addEventListener('abort', onStop, { once: true })
  try {
    if (stopping.aborted) return
    // Asked after the watch began: with nothing in the bucket no entry will ever say that it was the last.
    const { values } = await kv.status()
    if (values === 0) caughtUp()
    for await (const entry of entries) {
      listener(entry.key, valueIn(entry))
      if (entry.isUpdate || entry.delta === 0) caughtUp()
    }
  } finally {
    stopping.removeEventListener('abort', onStop)
    entries.stop()
  }
}

function valueIn(entry: KvWatchEntry): Uint8Array | undefined {
  return entry.operation === 'PUT' && entry.value.length > 0 ? entry.value : undefined
}
