import { systemClock } from './clock.ts'
import type { Nats } from './nats.ts'
import { fromNats } from './nats-errors.ts'
import { capacityTtlMs } from './streams.ts'
import { buckets, subjectToken } from './subjects.ts'
import { watchBucket } from './watch-bucket.ts'

const statuses = ['running', 'paused', 'aborted'] as const

/** Whether a campaign's chunks may go out. */
export interface CampaignControl {
  readonly status: (typeof statuses)[number]
}

/** Told about a campaign whose control changed; undefined when it was removed. */
export type ControlListener = (brand: string, campaignId: string, control: CampaignControl | undefined) => void

/** Controls of all campaigns, in memory and kept up to date. */
export interface ControlDirectory extends AsyncDisposable {
  /** undefined when nobody ever set it. */
  get(brand: string, campaignId: string): CampaignControl | undefined
  /** Calls the listener at each later change. */
  onChange(listener: ControlListener): void
}

/** Follows the controls of campaigns; complete when it resolves. */
export async function watchControl(nats: Nats): Promise<ControlDirectory> {
  const known = new Map<string, CampaignControl>()
  const listeners: ControlListener[] = []
  const watch = await watchBucket(nats, buckets.control, (key, value) => {
    const control = value === undefined ? undefined : parseControl(value)
    if (control === undefined) known.delete(key)
    else known.set(key, control)
    const [brand = '', campaignId = ''] = key.split('.')
    for (const listener of listeners) listener(brand, campaignId, control)
  })
  return {
    get: (brand, campaignId) => known.get(controlKey(brand, campaignId)),
    onChange: (listener) => {
      listeners.push(listener)
    },
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  }
}

/** Pauses, resumes or aborts a campaign everywhere, within moments. Throws UNAVAILABLE. */
export async function putControl(
  nats: Nats,
  brand: string,
  campaignId: string,
  control: CampaignControl,
): Promise<void> {
  await put(nats, buckets.control, controlKey(brand, campaignId), control)
}

/** Forgets a campaign that is over. */
export async function removeControl(nats: Nats, brand: string, campaignId: string): Promise<void> {
  await remove(nats, buckets.control, controlKey(brand, campaignId))
}

/** How many phones a replica of pass-render can answer per second. */
export interface AnswerCapacity {
  readonly passesPerSecond: number
  /** How long a phone that comes now waits for its turn, in milliseconds. */
  readonly lagMs?: number
}

/** Capacities of the replicas that are alive. */
export interface CapacityDirectory extends AsyncDisposable {
  /** Sum over replicas that said something within the last 10 s; 0 when there is none. */
  totalPerSecond(): number
}

/** Says what this replica can answer; to be repeated well within 10 s. Throws UNAVAILABLE. */
export async function putCapacity(nats: Nats, replica: string, capacity: AnswerCapacity): Promise<void> {
  await put(nats, buckets.capacity, subjectToken(replica), capacity)
}

/** Takes back what a replica said: it stops. Throws UNAVAILABLE. */
export async function removeCapacity(nats: Nats, replica: string): Promise<void> {
  await remove(nats, buckets.capacity, subjectToken(replica))
}

/** Follows the capacities of pass-render's replicas; complete when it resolves. */
export async function watchCapacity(nats: Nats, clock = systemClock): Promise<CapacityDirectory> {
  const known = new Map<string, { readonly passesPerSecond: number; readonly heardAtMs: number }>()
  const watch = await watchBucket(nats, buckets.capacity, (key, value) => {
    const passesPerSecond = value === undefined ? undefined : parseCapacity(value)
    // Clocks of machines differ, so it counts from when it was heard; the bucket itself drops old ones.
    if (passesPerSecond === undefined) known.delete(key)
    else known.set(key, { passesPerSecond, heardAtMs: clock.nowMs() })
  })
  return {
    totalPerSecond: () => {
      const since = clock.nowMs() - capacityTtlMs
      let total = 0
      for (const [replica, { passesPerSecond, heardAtMs }] of known) {
        if (heardAtMs >= since) total += passesPerSecond
        else known.delete(replica)
      }
      return total
    },
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  }
}

function controlKey(brand: string, campaignId: string): string {
  return `${subjectToken(brand)}.${subjectToken(campaignId)}`
}

async function put(nats: Nats, bucket: 'control' | 'capacity', key: string, value: object): Promise<void> {
  try {
    const kv = await nats.kv(bucket)
    await kv.put(key, JSON.stringify(value))
  } catch (error) {
    throw fromNats(error)
  }
}

async function remove(nats: Nats, bucket: 'control' | 'capacity', key: string): Promise<void> {
  try {
    const kv = await nats.kv(bucket)
    await kv.delete(key)
  } catch (error) {
    throw fromNats(error)
  }
}

function parseControl(value: Uint8Array): CampaignControl | undefined {
  const status = parseRecord(value)?.['status']
  const known = statuses.find((candidate) => candidate === status)
  return known === undefined ? undefined : { status: known }
}

function parseCapacity(value: Uint8Array): number | undefined {
  const passesPerSecond = parseRecord(value)?.['passesPerSecond']
  return typeof passesPerSecond === 'number' && passesPerSecond >= 0 ? passesPerSecond : undefined
}

function parseRecord(value: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(value).toString('utf8'))
    return typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
