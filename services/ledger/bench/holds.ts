import { randomUUID } from 'node:crypto'
import type { BenchContext, Report, Scenario } from '@stampede/h2push/bench'
import { digits, limitGoal, markdownTable, short } from '@stampede/h2push/bench'
import { CreateHoldResponse } from '@stampede/proto/ledger/v1'
import type { Item, ItemRequest } from '../src/flush/item.ts'
import { closedLoop } from './load.ts'
import { BRANDS, brandName, itemOf, memberId, newReceipts, type Rig, startRig } from './rig.ts'

const CALLERS = 256
const seconds = { full: 15, quick: 5 }
/** Members with points. */
const SPENDERS = 20_000
const BATCH = 500
const PAIRS_MUST = 2_000
const deadlineMs = Date.parse('2100-01-01')

/** Hold and commit, one after the other, as a till does. */
export const holdsScenario: Scenario = {
  name: 'holds',
  async run(context: BenchContext): Promise<Report> {
    await using rig = await startRig()
    context.progress('  points for all')
    await givePoints(rig)
    context.progress('  holds')
    const call = async (): Promise<void> => {
      const index = Math.floor(Math.random() * SPENDERS)
      const owner = { brand: brandName(index % BRANDS), memberId: memberId(index) }
      const held = await done(rig, owner, { kind: 'hold', points: 1n, reference: randomUUID(), ttlSeconds: 0 })
      const { holdId } = CreateHoldResponse.decode(held)
      await done(rig, owner, { kind: 'commit', holdId, points: 1n })
    }
    const span = context.isQuick ? seconds.quick : seconds.full
    const result = await closedLoop({ callers: CALLERS, warmupSeconds: 2, seconds: span, call })
    const row = [short(result.perSecond), digits(result.p50Ms), digits(result.p99Ms)]
    return {
      title: 'Holds',
      text: `${markdownTable(['hold + commit/s', 'p50 ms of both', 'p99 ms of both'], [row])}\n\n${CALLERS} callers, ${short(SPENDERS)} members.`,
      goals: [limitGoal('hold and commit', result.perSecond, 'at least', PAIRS_MUST, '/s')],
      data: result,
    }
  },
}

async function givePoints(rig: Rig): Promise<void> {
  const receipt = newReceipts('points', BRANDS)
  for (let from = 0; from < SPENDERS; from += BATCH) {
    const items = Array.from({ length: BATCH }, (_, offset) => {
      const index = from + offset
      const owner = { brand: brandName(index % BRANDS), memberId: memberId(index) }
      const [line] = receipt(index).lines
      const lines = line === undefined ? [] : [{ ...line, amountMinor: 1_000_000n }]
      return itemOf({ ...receipt(index), ...owner, lines })
    })
    await rig.committer.submit(items)
  }
}

async function done(rig: Rig, owner: Pick<Item, 'brand' | 'memberId'>, request: ItemRequest): Promise<Uint8Array> {
  const idempotencyKey = randomUUID()
  const [result] = await rig.committer.submit([
    { ...owner, idempotencyKey, bodyHash: Buffer.from(idempotencyKey), deadlineMs, request },
  ])
  if (result?.ok !== true) throw result?.error ?? new Error('no answer')
  return result.response
}
