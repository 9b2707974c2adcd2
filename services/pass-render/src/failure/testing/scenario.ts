import { setTimeout as sleep } from 'node:timers/promises'
import { makeEvent, uuidv7 } from '@stampede/platform'
import { AccountState, MemberState } from '@stampede/proto/events/v1'
import { seededRandom } from '@stampede/sandbox/testing'
import { PhonesRig } from './phones-rig.ts'

/** Size and chance of a run. */
export interface ScenarioOptions {
  readonly phones: number
  readonly seed: number
  /** How the service ends, one after the other, while changes come in. */
  readonly blows: readonly ('SIGKILL' | 'SIGTERM')[]
  readonly report?: (line: string) => void
}

/** What a run came to. */
export interface ScenarioEnd {
  readonly phones: number
  readonly events: number
  /** Visible changes of all passes, as the service counted them. */
  readonly changes: number
  readonly fetches: number
  readonly failures: number
  readonly seconds: number
  /** Promises that were broken, each in a line; at most ten per promise. */
  readonly broken: readonly string[]
}

/** Balances that each account goes through. */
const CHANGES_PER_ACCOUNT = 3
/** Part of the events that come twice. */
const REPEATED_SHARE = 0.2
/** Events on their way to the broker at once. */
const PUBLISH_WIDTH = 256
/** Share of the events after which a blow comes, at the earliest and at the latest. */
const [EARLIEST, LATEST] = [0.1, 0.9]
const MAX_LINES = 10

interface Change {
  readonly memberId: string
  readonly version: bigint
  readonly available: bigint
}

/**
 * Installs a pass on each phone, then changes every balance several times with events that are repeated and out of
 * order, while the service is killed and started again. In the end each phone must show the last balance, and no phone
 * may have fetched more often than its pass changed, but for its retries.
 */
export async function runScenario({ phones, seed, blows, report }: ScenarioOptions): Promise<ScenarioEnd> {
  const random = seededRandom(seed)
  const startedAt = performance.now()
  await using rig = await PhonesRig.start(random)
  const memberIds = Array.from({ length: phones }, () => uuidv7())
  await publishMembers(rig, memberIds)
  const serials = await rig.installAll(phones)
  report?.(`${phones} phones have their pass`)
  const delivering = rig.deliver()
  const changes = planChanges(memberIds, random)
  await publishUnderBlows(rig, changes, blows, random, report)
  report?.(`${changes.length} events are published; waiting for rest`)
  await rig.settle()
  const end = await judge(rig, serials)
  const seconds = (performance.now() - startedAt) / 1000
  await rig[Symbol.asyncDispose]()
  await delivering
  return { phones, events: changes.length, seconds, ...end }
}

/** Every phone's balance ends on its highest version; the order on the wire is chance. */
function planChanges(memberIds: readonly string[], random: () => number): readonly Change[] {
  const all = memberIds.flatMap((memberId) =>
    Array.from({ length: CHANGES_PER_ACCOUNT }, (_, index) => ({
      memberId,
      version: BigInt(index + 1),
      available: index + 1 === CHANGES_PER_ACCOUNT ? lastBalance(memberId) : BigInt(Math.floor(random() * 1_000)),
    })),
  )
  const repeated = all.filter(() => random() < REPEATED_SHARE)
  return shuffle([...all, ...repeated], random)
}

function lastBalance(memberId: string): bigint {
  return 1_000n + (BigInt(`0x${memberId.replaceAll('-', '').slice(-8)}`) % 1_000_000n)
}

async function publishMembers(rig: PhonesRig, memberIds: readonly string[]): Promise<void> {
  await publishAll(memberIds, async (memberId, index) => {
    const cardNumber = String(4_000_000_000_000_000n + BigInt(index))
    const fields = { memberId, cardNumber, status: 'active', locale: 'en-GB', marketingConsent: true }
    const value = MemberState.fromPartial(fields)
    await publish(rig, 'member', memberId, 1n, { $case: 'member', value })
  })
}

async function publishUnderBlows(
  rig: PhonesRig,
  changes: readonly Change[],
  blows: ScenarioOptions['blows'],
  random: () => number,
  report: ScenarioOptions['report'],
): Promise<void> {
  const moments = blows
    .map(() => Math.floor(changes.length * (EARLIEST + random() * (LATEST - EARLIEST))))
    .sort(byNumber)
  let published = 0
  let next = 0
  let striking: Promise<void> = Promise.resolve()
  await publishAll(changes, async ({ memberId, version, available }) => {
    const value = AccountState.fromPartial({ memberId, available, currency: 'GBP' })
    await publish(rig, 'account', memberId, version, { $case: 'account', value })
    published++
    const blow = blows[next]
    if (blow === undefined || published < (moments[next] ?? 0)) return
    next++
    striking = striking.then(async () => {
      report?.(`${blow} after ${published} events`)
      await rig.restart(blow)
      // So that the next one meets a service at work and not one that starts.
      await sleep(500)
    })
    await striking
  })
}

async function publish(
  rig: PhonesRig,
  aggregateKind: 'member' | 'account',
  aggregateId: string,
  aggregateVersion: bigint,
  payload: Parameters<typeof makeEvent>[0]['payload'],
): Promise<void> {
  const now = new Date()
  const base = { brand: rig.brand, aggregateKind, aggregateId, aggregateVersion }
  const message = makeEvent({ ...base, eventTime: now, schema: 'test', payload }, now)
  // Without a message id the broker keeps both of two equal events.
  await rig.nats.jetstream.publish(message.subject, message.payload)
}

async function publishAll<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const next = items.entries()
  const worker = async () => {
    for (const [index, item] of next) await work(item, index)
  }
  await Promise.all(Array.from({ length: PUBLISH_WIDTH }, worker))
}

async function judge(
  rig: PhonesRig,
  serials: ReadonlyMap<string, string>,
): Promise<Pick<ScenarioEnd, 'changes' | 'fetches' | 'failures' | 'broken'>> {
  const tallies = await rig.tally()
  const rows = await rig.database.query<{ serial: string; version: bigint }>('SELECT serial, version FROM pass')
  const versionOf = new Map(rows.map((row) => [row.serial, Number(row.version)]))
  const broken: string[] = []
  const total = { changes: 0, fetches: 0, failures: 0 }
  for (const [memberId, serial] of serials) {
    const shown = await rig.sandbox.fleet.shown(serial)
    const expected = String(lastBalance(memberId))
    if (shown?.fields['points'] !== expected) {
      broken.push(`pass ${serial} shows ${shown?.fields['points'] ?? 'nothing'} instead of ${expected}`)
    }
    const { fetches, failures } = tallies.get(serial) ?? { fetches: 0, failures: 0 }
    const changes = (versionOf.get(serial) ?? 1) - 1
    if (fetches > changes + failures) {
      broken.push(`pass ${serial} was fetched ${fetches} times for ${changes} changes and ${failures} retries`)
    }
    total.changes += changes
    total.fetches += fetches
    total.failures += failures
  }
  return { ...total, broken: broken.slice(0, MAX_LINES) }
}

function byNumber(a: number, b: number): number {
  return a - b
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
