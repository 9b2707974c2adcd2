import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Account } from './domain/account.ts'
import { viewAt } from './domain/view.ts'
import { MEMBER_IDS, MemoryLedger } from './testing/histories/memory-ledger.ts'
import { Model } from './testing/histories/model.ts'
import { Player } from './testing/histories/player.ts'
import { CODES_EACH, setting, stepsOf, wait } from './testing/histories/steps.ts'

/** Histories; ten times as many with STAMPEDE_FULL=1. A failure prints the seed and the shortest history that fails. */
const RUNS = process.env['STAMPEDE_FULL'] === '1' ? 100_000 : 10_000
const PARTS = 4
const STEPS = 40
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const HOUR_MS = 3_600_000

const history = fc.record({
  setting,
  steps: stepsOf(STEPS, STEPS),
  waits: fc.array(wait, { minLength: STEPS, maxLength: STEPS }),
})

type History = typeof history extends fc.Arbitrary<infer One> ? One : never

// In parts, so that none outlasts the deadline of a test on a busy machine.
for (let part = 0; part < PARTS; part++) {
  const own = seed + part
  test(`${RUNS / PARTS} histories in memory are what the model says, after every step (seed ${own})`, async () => {
    await fc.assert(fc.asyncProperty(history, live), { numRuns: RUNS / PARTS, seed: own })
  })
}

async function live({ setting: { rules, campaigns }, steps, waits }: History): Promise<void> {
  const ledger = new MemoryLedger(rules, campaigns, CODES_EACH)
  const model = new Model(rules, campaigns, CODES_EACH)
  const player = new Player(ledger, { brand: 'demo', name: 'h', memberIds: MEMBER_IDS, codes: ledger.codes }, model)
  for (const [at, step] of steps.entries()) {
    ledger.clock.advance((waits[at] ?? 0) * HOUR_MS)
    if (at % 8 === 0) {
      ledger.sweep()
      model.sweep(ledger.clock.nowMs())
    }
    await player.play(step)
    assert.deepEqual(ledger.standing(), model.standing())
    for (const [who, memberId] of MEMBER_IDS.entries()) {
      player.check(who, ledger.balance(memberId))
      compareLots(ledger.account(memberId), model, who, ledger)
    }
  }
}

test(`c10: the rest of a sale comes back at once or in pieces to the same end, with coupons and tiers (seed ${seed})`, async () => {
  const scenario = fc.record({
    setting,
    steps: stepsOf(STEPS / 2, STEPS / 2),
    waits: fc.array(wait, { minLength: STEPS / 2, maxLength: STEPS / 2 }),
    pick: fc.nat(9),
    ranks: fc.array(fc.nat(99), { minLength: 16, maxLength: 16 }),
  })
  const property = fc.asyncProperty(scenario, async ({ setting: { rules, campaigns }, steps, waits, pick, ranks }) => {
    const ends = [undefined, ranks].map(async (order) => {
      const ledger = new MemoryLedger(rules, campaigns, CODES_EACH)
      const model = new Model(rules, campaigns, CODES_EACH)
      const player = new Player(ledger, { brand: 'demo', name: 'h', memberIds: MEMBER_IDS, codes: ledger.codes }, model)
      for (const [at, step] of steps.entries()) {
        ledger.clock.advance((waits[at] ?? 0) * HOUR_MS)
        await player.play(step)
      }
      await player.giveRestBack(pick, order)
      const accounts = MEMBER_IDS.map((memberId) => {
        const account = viewAt(ledger.account(memberId), ledger.clock.nowMs())
        return [account.debt, account.lifetimeEarned, lotsOf(account)]
      })
      return [accounts, ledger.details()]
    })
    const [whole, parts] = await Promise.all(ends)
    assert.deepEqual(parts, whole)
  })
  await fc.assert(property, { numRuns: RUNS / 10, seed })
})

/** Lots one by one, and what the programme's side of the books has had. */
function compareLots(account: Account, model: Model, who: number, ledger: MemoryLedger): void {
  const nowMs = ledger.clock.nowMs()
  const seen = viewAt(account, nowMs)
  const member = model.view(who, nowMs)
  const wanted = member.lots
    .filter(({ left, pending, held }) => left + pending + held > 0n)
    .map((lot) => [lot.earnedAt, lot.activatesAt, lot.endsAt, lot.left, lot.pending, lot.held])
  assert.deepEqual(lotsOf(seen), wanted.map(String).sort())
  assert.equal(seen.lifetimeEarned, member.books.issued)
}

/** Lots that have points, one by one. */
function lotsOf({ lots }: Account): readonly string[] {
  const live = [...lots.values()].filter(({ available, pending, held }) => available + pending + held > 0n)
  const parts = live.map((lot) => [
    lot.earnedAtMs,
    lot.activatesAtMs,
    lot.expiresAtMs,
    lot.available,
    lot.pending,
    lot.held,
  ])
  return parts.map(String).sort()
}
