import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { Kvm, type KvOptions } from '@nats-io/kv'
import { nanos } from '@nats-io/transport-node'
import type { Nats } from './nats.ts'
import { fromNats, isStreamExists } from './nats-errors.ts'
import { type BucketName, buckets, streams } from './subjects.ts'

type StreamPlan = Pick<StreamConfig, 'name' | 'subjects' | 'retention'> & Partial<StreamConfig>

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** How long JetStream remembers message ids; a repeat after that is delivered twice, which consumers bear. */
const duplicateWindowMs = 120_000
const eventDays = 7
const deadDays = 30
/** An answer capacity counts for so long after its last sign of life. */
export const capacityTtlMs = 10_000
/** Trace that an expired entry leaves, so that nobody takes an older one for the newest. */
const markerTtlMs = 1_000
/** A replica of push-dispatcher counts for so long after its last sign of life. */
export const dispatcherTtlMs = 10_000
/** Replicas of a stream on a cluster of servers. */
const clusterReplicas = 3

const plans: readonly StreamPlan[] = [
  {
    name: streams.EVENTS,
    subjects: ['ledger.*.*', 'member.*.*', 'geo.*.*', 'campaign.*.*', 'pass.*.*'],
    retention: RetentionPolicy.Limits,
    max_age: nanos(eventDays * dayMs),
  },
  { name: streams.PUSH_TX, subjects: ['push.tx.*'], retention: RetentionPolicy.Workqueue },
  { name: streams.PUSH_BULK, subjects: ['push.bulk.*'], retention: RetentionPolicy.Workqueue },
  {
    name: streams.PUSH_GOOGLE,
    subjects: ['push.google.*.*.*'],
    retention: RetentionPolicy.Workqueue,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.Old,
  },
  {
    name: streams.PUSH_RESULT,
    subjects: ['push.result.*', 'push.google-result.*', 'push.google-message-result.*'],
    retention: RetentionPolicy.Limits,
    max_age: nanos(eventDays * dayMs),
  },
  {
    name: streams.DEAD,
    subjects: ['dead.>'],
    retention: RetentionPolicy.Limits,
    max_age: nanos(deadDays * dayMs),
  },
]

const bucketPlans: Readonly<Record<BucketName, Partial<KvOptions>>> = {
  [buckets.brands]: {},
  [buckets.access]: {},
  [buckets.control]: {},
  [buckets.capacity]: { ttl: capacityTtlMs },
  // Each entry says itself how long it lives.
  [buckets.google]: { markerTTL: markerTtlMs },
  [buckets.dispatchers]: { ttl: dispatcherTtlMs },
}

/**
 * Makes every stream and bucket, or brings it to the newest configuration. Every service calls it at its start, in
 * any order and at the same time. On a cluster new streams get 3 replicas; a later choice of replicas is kept.
 */
export async function ensureStreams(nats: Nats): Promise<void> {
  const replicas = nats.connection.info?.cluster === undefined ? 1 : clusterReplicas
  try {
    for (const plan of plans) await ensureStream(nats, { ...plan, ...common }, replicas)
    const kvm = new Kvm(nats.jetstream)
    for (const [bucket, plan] of Object.entries(bucketPlans)) {
      await kvm.create(bucket, { history: 1, storage: StorageType.File, replicas, ...plan })
    }
  } catch (error) {
    throw fromNats(error)
  }
}

const common = {
  storage: StorageType.File,
  duplicate_window: nanos(duplicateWindowMs),
} as const

async function ensureStream(nats: Nats, plan: StreamPlan, replicas: number): Promise<void> {
  try {
    await nats.manager.streams.add({ ...plan, num_replicas: replicas })
  } catch (error) {
    if (!isStreamExists(error)) throw error
    await nats.manager.streams.update(plan.name, plan)
  }
}
