import { setTimeout as sleep } from 'node:timers/promises'
import { type CampaignRig, REPLICAS } from './campaign-rig.ts'

/** What is done to a running campaign; parts that are named happen at once, what was ended is started again at once. */
export interface Blow {
  /** Kills nats-server. */
  readonly nats?: true
  /** Ends so many dispatchers, chosen by chance. */
  readonly replicas?: number
  /** How they are ended; default SIGKILL. */
  readonly signal?: 'SIGKILL' | 'SIGTERM'
  /** Streams that APNs allows per connection from then on. */
  readonly streamLimit?: number
  /** It comes before the first push, while chunks are being handed out. */
  readonly atOnce?: true
}

/** A blow and when it comes. */
export interface PlannedBlow extends Blow {
  /** Accepted pushes after which it comes. */
  readonly atPushes: number
  /** Indices of the dispatchers that it ends. */
  readonly victims: readonly number[]
}

/** Part of the recipients after which the first blow comes at the earliest, and the last at the latest. */
const [EARLIEST, LATEST] = [0.05, 0.45]
/** Chunks of one replica in flight. */
const CHUNKS_IN_FLIGHT = 2
/** A blow comes even when so long nothing moves, in milliseconds: what earlier ones hold up must not hold up this one. */
const STALL_MS = 1_500
const POLL_MS = 5

/** Chooses moments and victims. */
export function planBlows(blows: readonly Blow[], recipients: number, random: () => number): readonly PlannedBlow[] {
  const moments = blows.map(() => Math.floor(recipients * (EARLIEST + random() * (LATEST - EARLIEST))))
  moments.sort((a, b) => a - b)
  return blows.map((blow, at) => {
    const shift = Math.floor(random() * REPLICAS)
    const victims = Array.from({ length: blow.replicas ?? 0 }, (_, nth) => (nth + shift) % REPLICAS)
    return { ...blow, atPushes: blow.atOnce === true ? 0 : (moments[at] ?? 0), victims }
  })
}

/** Most chunks that these blows may repeat: those in flight of a killed dispatcher, or of all when the broker dies. */
export function repeatableChunks(blows: readonly PlannedBlow[]): number {
  const hit = ({ nats, victims, signal }: PlannedBlow): number => {
    if (nats === true) return REPLICAS
    return signal === 'SIGTERM' ? 0 : victims.length
  }
  return blows.reduce((sum, blow) => sum + hit(blow) * CHUNKS_IN_FLIGHT, 0)
}

/** Strikes each blow at its moment and has `check` look after it. */
export async function strike(
  rig: CampaignRig,
  blows: readonly PlannedBlow[],
  check: (blow: PlannedBlow) => Promise<void>,
): Promise<void> {
  for (const blow of blows) {
    await reached(rig, blow.atPushes)
    await strikeOne(rig, blow)
    await check(blow)
  }
}

async function strikeOne(
  rig: CampaignRig,
  { nats, victims, signal = 'SIGKILL', streamLimit }: PlannedBlow,
): Promise<void> {
  if (streamLimit !== undefined) await rig.sandbox.setFaults({ apns: { streamLimit } })
  const replicas = rig.replicas.filter((_, index) => victims.includes(index))
  const natsBack = nats === true ? rig.natsServer.stop(true).then(() => rig.natsServer.start()) : undefined
  const replicasBack = replicas.map(async (replica) => {
    await replica.end(signal)
    await replica.restart()
  })
  await Promise.all([natsBack, ...replicasBack])
}

async function reached(rig: CampaignRig, pushes: number): Promise<void> {
  let [seen, movedAtMs] = [-1, Date.now()]
  for (;;) {
    const accepted = await rig.sandbox.accepted()
    if (accepted >= pushes || Date.now() - movedAtMs > STALL_MS) return
    if (accepted > seen) [seen, movedAtMs] = [accepted, Date.now()]
    await sleep(POLL_MS)
  }
}
