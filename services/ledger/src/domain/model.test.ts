import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Account } from './account.ts'
import type { Decision } from './decide.ts'
import { undiscounted } from './discounts/basket.ts'
import { DAY_MS, Story, saleLine, spendableUntil, testProgramme } from './fixture.ts'
import type { SaleRecord } from './sale.ts'
import { viewAt } from './view.ts'

/** Histories; ten times as many with STAMPEDE_FULL=1. A failure prints the seed and the shortest history that fails. */
const RUNS = process.env['STAMPEDE_FULL'] === '1' ? 100_000 : 10_000

type Step =
  | { readonly kind: 'sale'; readonly amounts: readonly bigint[]; readonly days: number; readonly pay: number }
  | { readonly kind: 'hold'; readonly points: bigint; readonly hours: number; readonly reference: string }
  | { readonly kind: 'resolve'; readonly pick: number; readonly share: number }
  | { readonly kind: 'return'; readonly pick: number; readonly line: number; readonly quantity: bigint }
  | { readonly kind: 'wait'; readonly hours: number }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('sale' as const),
      amounts: fc.array(fc.bigInt(0n, 5_000n), { minLength: 1, maxLength: 4 }),
      days: fc.integer({ min: -1, max: 9 }),
      pay: fc.integer({ min: 0, max: 100 }),
    }),
    fc.record({
      kind: fc.constant('hold' as const),
      points: fc.bigInt(1n, 400n),
      hours: fc.integer({ min: 1, max: 100 }),
      reference: fc.constantFrom('a', 'b', 'c'),
    }),
    fc.record({ kind: fc.constant('resolve' as const), pick: fc.nat(20), share: fc.integer({ min: 0, max: 100 }) }),
    fc.record({
      kind: fc.constant('return' as const),
      pick: fc.nat(20),
      line: fc.nat(3),
      quantity: fc.bigInt(1n, 3n),
    }),
    fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 80 }) }),
  ),
  { minLength: 40, maxLength: 60 },
)

/** A ledger of one member that knows no lots' order, only sums: what each posting may do to the whole. */
interface Model {
  readonly books: Map<string, bigint>
  readonly lots: Map<string, { available: bigint; held: bigint }>
  version: bigint
}

/** Applies postings to the model and checks each of them. */
function replay(model: Model, decision: Decision): void {
  for (const posting of decision.postings) {
    let sum = 0n
    for (const { account, amount } of posting.entries) {
      assert.notEqual(amount, 0n)
      sum += amount
      model.books.set(account, (model.books.get(account) ?? 0n) + amount)
    }
    assert.equal(sum, 0n, 'entries sum to zero')
    for (const { lotId, available, held } of posting.allocations) {
      const lot = model.lots.get(lotId) ?? { available: 0n, held: 0n }
      model.lots.set(lotId, { available: lot.available + available, held: lot.held + held })
    }
    model.version += 1n
    assert.equal(posting.version, model.version)
  }
}

function compare(model: Model, account: Account): void {
  const book = (name: string): bigint => model.books.get(name) ?? 0n
  assert.deepEqual(
    [account.available, account.held, account.debt, account.lifetimeEarned, account.version],
    [book('available'), book('held'), -book('debt'), -book('issued'), model.version],
  )
  for (const lot of account.lots.values()) {
    const { available, held } = model.lots.get(lot.lotId) ?? { available: 0n, held: 0n }
    assert.deepEqual([lot.available, lot.held], [available, held])
    assert(lot.available >= 0n && lot.held >= 0n && lot.available + lot.held <= lot.amount)
  }
  const open = [...account.holds.values()].filter((hold) => hold.state === 'open')
  assert.equal(
    open.reduce((sum, hold) => sum + hold.points, 0n),
    account.held,
  )
  assert.equal(new Set(open.map((hold) => hold.reference)).size, open.length, 'one open hold per reference')
}

function run(history: readonly Step[]): void {
  const story = new Story()
  const model: Model = { books: new Map(), lots: new Map(), version: 0n }
  const sales: SaleRecord[] = []
  for (const step of history) {
    const before = JSON.stringify([...story.account.lots], (_, value) => String(value))
    const seen = viewAt(story.account, story.nowMs)
    if (step.kind === 'wait') {
      story.nowMs += step.hours * 3_600_000
      continue
    }
    const decision = story.try(commandOf(story, step, sales))
    assert.equal(
      JSON.stringify([...story.account.lots], (_, value) => String(value)),
      before,
      'the account given stays',
    )
    if (!decision.ok) {
      if (decision.reason === 'insufficient_points') assert(step.kind === 'hold')
      continue
    }
    story.account = decision.account
    replay(model, decision)
    compare(model, story.account)
    if (step.kind === 'hold') {
      const replaced = [...seen.holds.values()].find(
        (hold) => hold.state === 'open' && hold.reference === step.reference,
      )
      assert(step.points <= seen.available + (replaced?.points ?? 0n), 'only what is there is held')
    }
    if (decision.outcome.kind === 'sale') sales.push(decision.outcome.sale)
    if (decision.outcome.kind === 'return') {
      const { sale } = decision.outcome
      sales[sales.findIndex(({ receiptId }) => receiptId === sale.receiptId)] = sale
    }
  }
}

function commandOf(story: Story, step: Exclude<Step, { kind: 'wait' }>, sales: readonly SaleRecord[]) {
  const holds = [...story.account.holds.values()]
  if (step.kind === 'hold') {
    const { points, reference, hours } = step
    const expiresAtMs = story.nowMs + hours * 3_600_000
    return { kind: 'hold' as const, holdId: story.newId(), points, reference, expiresAtMs }
  }
  if (step.kind === 'resolve') {
    const hold = holds[step.pick % Math.max(1, holds.length)]
    const holdId = hold?.holdId ?? 'none'
    const points = ((hold?.points ?? 1n) * BigInt(step.share)) / 100n
    return points === 0n ? { kind: 'cancel' as const, holdId } : { kind: 'commit' as const, holdId, points }
  }
  const sold = sales[(step.kind === 'return' ? step.pick : 0) % Math.max(1, sales.length)]
  if (step.kind === 'return' && sold !== undefined) {
    return {
      kind: 'return' as const,
      receiptId: story.newId(),
      occurredAtMs: story.nowMs,
      sale: sold,
      lines: [{ lineIndex: step.line, quantity: step.quantity }],
      policies: testProgramme,
      graceExpiresAtMs: story.nowMs + 15 * DAY_MS,
    }
  }
  const { amounts, days, pay } = step.kind === 'sale' ? step : { amounts: [100n], days: 5, pay: 0 }
  const hold = holds.find(({ state }) => state === 'open')
  return {
    kind: 'sale' as const,
    receiptId: story.newId(),
    storeId: 'store',
    occurredAtMs: story.nowMs,
    basket: undiscounted(amounts.map((amount) => saleLine(amount, 3n))),
    programme: testProgramme,
    holdId: pay > 0 ? (hold?.holdId ?? '') : '',
    pointsToPay: pay > 0 ? ((hold?.points ?? 0n) * BigInt(pay)) / 100n : 0n,
    ...spendableUntil(story.nowMs + days * DAY_MS),
  }
}

test('any history keeps the books: entries, lots, holds and totals agree after every step', () => {
  fc.assert(fc.property(steps, run), { numRuns: RUNS })
})

test('any split of a full return at one instant ends as one full return', () => {
  const scenario = fc.record({
    earlier: fc.array(fc.record({ points: fc.bigInt(1n, 300n), days: fc.integer({ min: 2, max: 60 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    amounts: fc.array(fc.bigInt(1n, 9_000n), { minLength: 1, maxLength: 4 }),
    quantity: fc.bigInt(1n, 3n),
    pay: fc.integer({ min: 0, max: 100 }),
    spendAfter: fc.integer({ min: 0, max: 100 }),
    waitDays: fc.integer({ min: 0, max: 50 }),
    order: fc.array(fc.nat(100), { minLength: 12, maxLength: 12 }),
  })
  fc.assert(
    fc.property(scenario, ({ earlier, amounts, quantity, pay, spendAfter, waitDays, order }) => {
      const story = new Story()
      for (const { points, days } of earlier) story.grant(points, days * DAY_MS)
      const points = (story.account.available * BigInt(pay)) / 100n
      const total = amounts.reduce((sum, amount) => sum + amount, 0n)
      const capped = points < total ? points : total
      const decision = story.do({
        kind: 'sale',
        receiptId: 'sale',
        storeId: 'store',
        occurredAtMs: 0,
        basket: undiscounted(amounts.map((amount) => saleLine(amount, quantity))),
        programme: testProgramme,
        holdId: capped > 0n ? story.hold(capped) : '',
        pointsToPay: capped,
        ...spendableUntil(40 * DAY_MS),
      })
      assert(decision.outcome.kind === 'sale')
      story.nowMs = waitDays * DAY_MS
      story.do({ kind: 'settle' })
      const spend = (story.account.available * BigInt(spendAfter)) / 100n
      if (spend > 0n) story.spend(spend)
      const pieces = amounts.flatMap((_, lineIndex) => Array.from({ length: Number(quantity) }, () => lineIndex))
      const shuffled = pieces
        .map((lineIndex, index) => ({ lineIndex, rank: order[index] ?? 0 }))
        .sort((left, right) => left.rank - right.rank)
      const whole = returnAll(story, decision.outcome.sale, [amounts.map((_, lineIndex) => ({ lineIndex, quantity }))])
      const parts = returnAll(
        story,
        decision.outcome.sale,
        shuffled.map(({ lineIndex }) => [{ lineIndex, quantity: 1n }]),
      )
      assert.deepEqual(parts, whole)
    }),
    { numRuns: RUNS },
  )
})

/** Returns in the given parts from the story's present state and says what came of it, ids of grace lots left out. */
function returnAll(
  story: Story,
  record: SaleRecord,
  parts: readonly (readonly { lineIndex: number; quantity: bigint }[])[],
) {
  const branch = new Story('branch')
  branch.account = story.account
  branch.nowMs = story.nowMs
  let sale = record
  let refundMinor = 0n
  for (const lines of parts) {
    const decision = branch.do({
      kind: 'return',
      receiptId: 'return',
      occurredAtMs: branch.nowMs,
      sale,
      lines,
      policies: testProgramme,
      graceExpiresAtMs: branch.nowMs + 15 * DAY_MS,
    })
    assert(decision.outcome.kind === 'return')
    sale = decision.outcome.sale
    refundMinor += decision.outcome.refundMinor
  }
  const { available, held, debt, lifetimeEarned, lots } = branch.account
  const left = [...lots.values()].map((lot) => [
    lot.originLotId ?? lot.lotId,
    lot.amount,
    lot.available,
    lot.expiresAtMs,
  ])
  left.sort()
  return { refundMinor, available, held, debt, lifetimeEarned, left, reverseDebt: sale.reverseDebt }
}
