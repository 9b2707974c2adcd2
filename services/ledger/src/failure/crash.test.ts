import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { StampedeError } from '@stampede/platform'
import { member, saleOf } from '../testing/ledger.ts'
import { verifyLedger } from '../verify.ts'
import { FailureRig, type Ledger } from './testing/rig.ts'

const CALLERS = 64
const ACCOUNTS = 200
/** Of ten calls, how many are about the same account. */
const HOT_OF_TEN = 3
const PAUSE_MS = 50
/** Of the answers, how many are lost on their way. */
const LOST_SHARE = 0.05
/** What a caller may be told while parts are down: try again. */
const RETRYABLE = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED']
const DEADLINE_MS = 120_000

interface Tally {
  /** Points of each receipt that was acknowledged, by its number. */
  readonly receipts: Map<string, bigint>
  /** Points of each committed hold that was acknowledged. */
  readonly spent: bigint[]
  readonly retries: Map<string, number>
}

/** Asks until it is answered; an answer that is lost on its way is asked for again, and is the same. */
async function insist<T>(clients: readonly Ledger[], tally: Tally, ask: (client: Ledger) => Promise<T>): Promise<T> {
  const answer = await askUntilAnswered(clients, tally, ask)
  if (Math.random() < LOST_SHARE) assert.deepEqual(await askUntilAnswered(clients, tally, ask), answer)
  return answer
}

/** Asks with the same key, at whatever replica is next. */
async function askUntilAnswered<T>(
  clients: readonly Ledger[],
  tally: Tally,
  ask: (client: Ledger) => Promise<T>,
): Promise<T> {
  const deadlineMs = Date.now() + DEADLINE_MS
  for (let attempt = Math.floor(Math.random() * clients.length); ; attempt++) {
    const client = clients[attempt % clients.length]
    assert(client !== undefined)
    try {
      return await ask(client)
    } catch (error) {
      if (!(error instanceof StampedeError) || !RETRYABLE.includes(error.code)) throw error
      if (Date.now() > deadlineMs) throw error
      tally.retries.set(error.code, (tally.retries.get(error.code) ?? 0) + 1)
      await sleep(PAUSE_MS)
    }
  }
}

function anyName(): string {
  return Math.random() * 10 < HOT_OF_TEN ? 'hot' : `member-${Math.floor(Math.random() * ACCOUNTS)}`
}

async function sell(clients: readonly Ledger[], tally: Tally): Promise<void> {
  const number = randomUUID()
  const sale = saleOf(anyName(), number)
  const { pointsEarned } = await insist(clients, tally, (client) => client.postReceipt(sale))
  tally.receipts.set(number, pointsEarned)
}

/** Spends what may be there; that there is not enough is an answer, too. */
async function spend(clients: readonly Ledger[], tally: Tally): Promise<void> {
  const points = BigInt(1 + Math.floor(Math.random() * 150))
  const hold = {
    idempotencyKey: randomUUID(),
    brand: 'demo',
    memberId: member(anyName()),
    points,
    reference: randomUUID(),
  }
  try {
    const { holdId } = await insist(clients, tally, (client) => client.createHold({ ...hold, ttlSeconds: 3_600 }))
    const commit = { idempotencyKey: randomUUID(), brand: 'demo', holdId, points }
    await insist(clients, tally, (client) => client.commitHold(commit))
    tally.spent.push(points)
  } catch (error) {
    if (!(error instanceof StampedeError) || error.code !== 'INSUFFICIENT_POINTS') throw error
  }
}

test('64 callers on two replicas lose nothing and double nothing while replicas and PostgreSQL die', {
  timeout: 240_000,
}, async () => {
  await using rig = await FailureRig.start(2)
  const tally: Tally = { receipts: new Map(), spent: [], retries: new Map() }
  const programme = { earnBasisPoints: 500, pointsLiveDays: 365, maxPayBasisPoints: 10_000, pointValueMinor: 1n }
  await rig.clients[0]?.putProgramme({ idempotencyKey: 'programme', brand: 'demo', programme })
  let isOver = false
  const caller = async (): Promise<void> => {
    while (!isOver) await (Math.random() < 0.7 ? sell(rig.clients, tally) : spend(rig.clients, tally))
  }
  const callers = Promise.all(Array.from({ length: CALLERS }, caller))
  const blows = [
    () => rig.killReplica(0),
    () => rig.crashPostgres(),
    () => rig.killReplica(1),
    () => rig.crashPostgres(),
  ]
  for (const blow of blows) {
    // Work goes on before each blow, so that it falls into the middle of something.
    const before = tally.receipts.size
    while (tally.receipts.size < before + 500) await Promise.race([callers, sleep(PAUSE_MS)])
    await Promise.race([callers.then(() => assert.fail('the callers stopped')), blow()])
  }
  isOver = true
  await callers
  assert.ok(
    [...tally.retries.values()].some((count) => count > 0),
    'the blows were felt',
  )

  await using database = await rig.database()
  const rows = await database.query<{ number: string; points_earned: bigint }>(
    "SELECT number, points_earned FROM receipt WHERE kind = 'sale'",
  )
  const stored = new Map(rows.map((row) => [row.number, row.points_earned]))
  assert.equal(stored.size, rows.length, 'no receipt is there twice')
  assert.deepEqual(stored, tally.receipts, 'what is there is what was acknowledged, to the point')
  const [redeemed] = await database.query<{ points: bigint }>(
    "SELECT coalesce(sum(amount), 0)::bigint AS points FROM entry WHERE account = 'redeemed'",
  )
  assert.equal(
    redeemed?.points,
    tally.spent.reduce((sum, points) => sum + points, 0n),
  )
  assert.deepEqual(await verifyLedger(database).then((result) => (result.ok ? 'true books' : result)), 'true books')
})
