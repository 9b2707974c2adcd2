import { fromNats, type Logger, type Nats, subjectToken, watchBucket } from '@stampede/platform'
import { heard, left, newMembership, replicasOf, withoutSilent } from '../domain/membership.ts'
import { defaultSharingTimings, type SharingTimings } from './sharing-timings.ts'

/** What a replica says; the bucket takes an empty value for a removal. */
const SIGN_OF_LIFE = 'alive'

/** The replicas of the dispatcher that are alive, this one included. */
export interface Presence extends AsyncDisposable {
  /** This replica. */
  readonly replica: string
  /** All, in a fixed order. */
  replicas(): readonly string[]
  /** Calls the listener after each change. */
  onChange(listener: () => void): void
  /** Tells the others that this replica takes nothing any more; it goes on following them. */
  leave(): Promise<void>
}

/** What a replica needs to be seen. */
export interface PresenceOptions {
  readonly nats: Nats
  /** Unique among all replicas that ever ran: a new one for each start. */
  readonly replica: string
  readonly logger: Logger
  /** Default: four heartbeats within ten seconds. */
  readonly timings?: SharingTimings
}

/** Makes this replica known and follows the others. Resolves when those that are alive are known; throws UNAVAILABLE. */
export async function startPresence(options: PresenceOptions): Promise<Presence> {
  const { nats, replica, logger, timings = defaultSharingTimings } = options
  const self = subjectToken(replica)
  // Not the time of day: that may jump, and a jump must not bury anybody.
  let members = newMembership(self, performance.now())
  let replicas = replicasOf(members)
  const listeners: (() => void)[] = []
  const change = (next: typeof members): void => {
    members = next
    const now = replicasOf(members)
    if (now.join() === replicas.join()) return
    replicas = now
    logger.info({ replicas: now.length }, 'replicas of the dispatcher changed')
    for (const listener of listeners) listener()
  }
  const bucket = await nats.kv('dispatchers').catch(rethrow)
  await bucket.put(self, SIGN_OF_LIFE).catch(rethrow)
  const watch = await watchBucket(nats, 'dispatchers', (key, value) => {
    change(value === undefined ? left(members, key) : heard(members, key, timings, performance.now()))
  })
  const heartbeat = setInterval(() => {
    bucket.put(self, SIGN_OF_LIFE).catch((error: unknown) => logger.debug({ err: error }, 'no heartbeat'))
  }, timings.heartbeatMs)
  const sweep = setInterval(() => change(withoutSilent(members, timings, performance.now())), timings.sweepMs)
  const leave = async (): Promise<void> => {
    clearInterval(heartbeat)
    // Without a broker the others find out by the silence.
    await bucket.delete(self).catch((error: unknown) => logger.debug({ err: error }, 'left without a word'))
  }
  return {
    replica: self,
    replicas: () => replicas,
    onChange: (listener) => {
      listeners.push(listener)
    },
    leave,
    [Symbol.asyncDispose]: async () => {
      clearInterval(heartbeat)
      clearInterval(sweep)
      await watch[Symbol.asyncDispose]()
    },
  }
}

function rethrow(error: unknown): never {
  throw fromNats(error)
}
