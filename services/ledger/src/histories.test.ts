import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  CommitHoldResponse,
  CreateHoldResponse,
  PostReceiptResponse,
  ReturnReceiptResponse,
} from '@stampede/proto/ledger/v1'
import { Programme } from '@stampede/proto/programmes/v1'
import fc from 'fast-check'
import { toBalance } from './answers.ts'
import { type Account, emptyAccount } from './domain/account.ts'
import { endOfLife } from './domain/calendar.ts'
import { type Command, type Decision, decide } from './domain/decide.ts'
import { undiscounted } from './domain/discounts/basket.ts'
import { countingIds } from './domain/fixture.ts'
import type { Refusal } from './domain/refusal.ts'
import type { SaleRecord } from './domain/sale.ts'
import { earnedTerm } from './domain/terms.ts'
import { viewAt } from './domain/view.ts'
import { rulesOf } from './programme-message.ts'
import { refusalError } from './refusals.ts'
import {
  BRAND,
  codeOf,
  holdOf,
  keepPostgres,
  member,
  returnOf,
  saleOf,
  type TestLedger,
  testLedger,
} from './testing/ledger.ts'
import { verifyLedger } from './verify.ts'

const FACTOR = process.env['STAMPEDE_FULL'] === '1' ? 10 : 1
const HISTORIES = 300 * FACTOR
const STEPS = 40
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const ZONE = 'Europe/Berlin'
const GRACE_DAYS = 14

const rules = Programme.fromPartial({
  earnBasisPoints: 700,
  pointsLiveDays: 20,
  maxPayBasisPoints: 6_000,
  pointValueMinor: 1n,
  holdSeconds: 7_200,
  earnRules: [
    {
      ruleId: 'bread',
      goods: { categories: ['bakery'] },
      limit: 60n,
      effect: { $case: 'timesHundredths', value: 250 },
    },
    { ruleId: 'piece', goods: { skus: ['egg'] }, effect: { $case: 'pointsPerPiece', value: 2n } },
  ],
  earnsNothing: { categories: ['tobacco'] },
  neverPaid: { categories: ['tobacco'] },
})
const programme = { version: 2, effectiveAtMs: Date.parse('2026-11-01T00:00:00Z'), ...rulesOf(rules) }

type Step =
  | { readonly kind: 'sale'; readonly lines: readonly LineDraft[]; readonly agoHours: number; readonly pay: number }
  | { readonly kind: 'hold'; readonly points: bigint; readonly reference: string; readonly hours: number }
  | { readonly kind: 'resolve'; readonly pick: number; readonly share: number }
  | { readonly kind: 'return'; readonly pick: number; readonly line: number; readonly quantity: bigint }
  | { readonly kind: 'repeat'; readonly pick: number }
  | { readonly kind: 'other_body'; readonly pick: number }

interface LineDraft {
  readonly sku: string
  readonly category: string
  readonly quantity: bigint
  readonly amountMinor: bigint
}

const line = fc.record({
  sku: fc.constantFrom('egg', 'loaf', 'smoke'),
  category: fc.constantFrom('bakery', 'tobacco', ''),
  quantity: fc.bigInt(1n, 4n),
  amountMinor: fc.bigInt(0n, 9_000n),
})
const percent = fc.integer({ min: 0, max: 100 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('sale' as const),
      lines: fc.array(line, { minLength: 1, maxLength: 4 }),
      agoHours: fc.integer({ min: 0, max: 60 }),
      pay: percent,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      points: fc.bigInt(1n, 500n),
      reference: fc.constantFrom('a', 'b'),
      hours: fc.integer({ min: 1, max: 23 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resolve' as const), pick: fc.nat(9), share: percent }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('return' as const),
      pick: fc.nat(30),
      line: fc.nat(4),
      quantity: fc.bigInt(1n, 4n),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), pick: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('other_body' as const), pick: fc.nat(99) }) },
)

type Answer = PostReceiptResponse | ReturnReceiptResponse | CreateHoldResponse | CommitHoldResponse

/** What was asked, so that it can be asked again. */
interface Asked {
  ask(change?: bigint): Promise<unknown>
  readonly answer: unknown
}

/** A member of the service beside the same member of the model: an account and `decide`, without a database. */
class Pair {
  readonly #ledger: TestLedger
  readonly #name: string
  readonly #newId: () => string
  readonly #asked: Asked[] = []
  /** Sales of both worlds; the service's receipts are named by it. */
  readonly #sales: { receiptId: string; record: SaleRecord }[] = []
  readonly #holds: { holdId: string; modelId: string; points: bigint }[] = []
  #account: Account = emptyAccount
  #next = 0

  constructor(ledger: TestLedger, name: string) {
    this.#ledger = ledger
    this.#name = name
    this.#newId = countingIds(name)
  }

  async play(one: Step): Promise<void> {
    switch (one.kind) {
      case 'sale':
        return await this.#sell(one)
      case 'hold':
        return await this.#hold(one)
      case 'resolve':
        return await this.#resolve(one)
      case 'return':
        return await this.#giveBack(one)
      case 'repeat': {
        const asked = this.#asked[one.pick % Math.max(1, this.#asked.length)]
        if (asked !== undefined) assert.deepEqual(await asked.ask(), asked.answer, 'a repeat gives the same answer')
        return
      }
      case 'other_body': {
        const asked = this.#asked[one.pick % Math.max(1, this.#asked.length)]
        if (asked !== undefined) assert.equal(await codeOf(asked.ask(1n)), 'IDEMPOTENCY_CONFLICT')
      }
    }
  }

  /** The service's balance is the model's. */
  async compare(): Promise<void> {
    const nowMs = this.#ledger.clock.nowMs()
    const { handlers, call } = this.#ledger
    const request = { brand: BRAND, memberId: member(this.#name) }
    if (this.#account.version === 0n) return
    assert.deepEqual((await handlers.getBalance(request, call)).balance, toBalance(viewAt(this.#account, nowMs)))
  }

  async #sell({ lines, agoHours, pay }: Step & { readonly kind: 'sale' }): Promise<void> {
    const occurredAtMs = this.#ledger.clock.nowMs() - agoHours * 3_600_000
    const open = pay > 50 ? this.#openHold() : undefined
    const pointsToPay = open === undefined ? 0n : (open.points * BigInt(pay)) / 100n
    const number = `${this.#name}-${this.#next++}`
    const ask = (change = 0n) => {
      const more = { lines: lines.map((item) => ({ ...item, amountMinor: item.amountMinor + change })) }
      const paying = { holdId: open?.holdId ?? '', pointsToPay, occurredAt: new Date(occurredAtMs) }
      return this.#ledger.handlers.postReceipt(saleOf(this.#name, number, { ...more, ...paying }), this.#ledger.call)
    }
    const decision = this.#decide({
      kind: 'sale',
      receiptId: this.#newId(),
      storeId: 'store',
      occurredAtMs,
      basket: undiscounted(lines),
      programme,
      holdId: open?.modelId ?? '',
      pointsToPay,
      earnedTerm: earnedTerm(programme, occurredAtMs, ZONE),
      slidesToMs: undefined,
      tierHundredths: 100n,
    })
    const answer = await this.#same<PostReceiptResponse>(ask, decision)
    if (answer === undefined || !decision.ok || decision.outcome.kind !== 'sale') return
    const { earned, spent, sale } = decision.outcome
    assert.deepEqual([answer.pointsEarned, answer.pointsSpent], [earned, spent])
    this.#sales.push({ receiptId: answer.receiptId, record: sale })
  }

  async #hold({ points, reference, hours }: Step & { readonly kind: 'hold' }): Promise<void> {
    const name = `${reference}-${this.#next++}`
    const ask = (change = 0n) => {
      const more = { idempotencyKey: `${this.#name}-${name}`, ttlSeconds: hours * 3_600 }
      return this.#ledger.handlers.createHold(holdOf(this.#name, points + change, reference, more), this.#ledger.call)
    }
    const modelId = this.#newId()
    const expiresAtMs = this.#ledger.clock.nowMs() + hours * 3_600_000
    const decision = this.#decide({ kind: 'hold', holdId: modelId, points, reference, expiresAtMs })
    const answer = await this.#same<CreateHoldResponse>(ask, decision)
    if (answer !== undefined) this.#holds.push({ holdId: answer.holdId, modelId, points })
  }

  async #resolve({ pick, share }: Step & { readonly kind: 'resolve' }): Promise<void> {
    const hold = this.#holds.at(-1 - (pick % Math.max(1, this.#holds.length)))
    if (hold === undefined) return
    const { handlers, call } = this.#ledger
    const points = (hold.points * BigInt(share)) / 100n
    const base = { idempotencyKey: `${this.#name}-resolve-${this.#next++}`, brand: BRAND, holdId: hold.holdId }
    if (points === 0n) {
      const other = this.#holds.find(({ holdId }) => holdId !== hold.holdId)?.holdId ?? member('nobody')
      const ask = (change = 0n) => handlers.cancelHold({ ...base, ...(change === 0n ? {} : { holdId: other }) }, call)
      await this.#same(ask, this.#decide({ kind: 'cancel', holdId: hold.modelId }), false)
      return
    }
    const ask = (change = 0n) => handlers.commitHold({ ...base, points: points + change }, call)
    await this.#same(ask, this.#decide({ kind: 'commit', holdId: hold.modelId, points }))
  }

  async #giveBack({ pick, line: at, quantity }: Step & { readonly kind: 'return' }): Promise<void> {
    const sale = this.#sales.at(-1 - (pick % Math.max(1, this.#sales.length)))
    if (sale === undefined) return
    const nowMs = this.#ledger.clock.nowMs()
    const lines = [{ lineIndex: at, quantity }]
    const number = `${this.#name}-return-${this.#next++}`
    const ask = (change = 0n) => {
      const more = { lines: [{ lineIndex: at, quantity: quantity + change }], occurredAt: new Date(nowMs) }
      return this.#ledger.handlers.returnReceipt(returnOf(sale.receiptId, number, more), this.#ledger.call)
    }
    const decision = this.#decide({
      kind: 'return',
      receiptId: this.#newId(),
      occurredAtMs: nowMs,
      sale: sale.record,
      lines,
      policies: programme,
      graceExpiresAtMs: endOfLife(nowMs, GRACE_DAYS, ZONE),
    })
    const answer = await this.#same<ReturnReceiptResponse>(ask, decision)
    if (answer === undefined || !decision.ok || decision.outcome.kind !== 'return') return
    const { refundMinor, restored, reversed } = decision.outcome
    assert.deepEqual(
      [answer.refundMinor, answer.pointsRestored, answer.pointsReversed],
      [refundMinor, restored, reversed],
    )
    sale.record = decision.outcome.sale
  }

  #openHold() {
    return this.#holds.findLast(({ modelId }) => this.#account.holds.get(modelId)?.state === 'open')
  }

  #decide(command: Command): Decision | Refusal {
    const decision = decide(this.#account, command, { nowMs: this.#ledger.clock.nowMs(), newId: this.#newId })
    if (decision.ok) this.#account = decision.account
    return decision
  }

  /** Asks the service: the same refusal, or the model's balance afterwards. */
  async #same<One extends Answer>(
    ask: (change?: bigint) => Promise<One>,
    decision: Decision | Refusal,
    canRepeat = true,
  ): Promise<One | undefined> {
    if (!decision.ok) {
      assert.equal(await codeOf(ask()), refusalError(decision).code)
      return undefined
    }
    const answer = await ask()
    assert.deepEqual(answer.balance, toBalance(decision.account))
    if (canRepeat) this.#asked.push({ ask, answer })
    return answer
  }
}

test(`${HISTORIES} members live ${STEPS} steps as the model says, in one database (seed ${seed})`, async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const effectiveAt = new Date(programme.effectiveAtMs)
  await handlers.putProgramme({ idempotencyKey: 'rules', brand: BRAND, programme: rules, effectiveAt }, call)
  const histories = fc.sample(fc.array(step, { minLength: STEPS, maxLength: STEPS }), { numRuns: HISTORIES, seed })
  const [waits = []] = fc.sample(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: STEPS, maxLength: STEPS }), {
    numRuns: 1,
    seed,
  })
  const pairs = histories.map((_, index) => new Pair(ledger, `member-${index}`))
  for (let at = 0; at < STEPS; at++) {
    ledger.clock.advance((waits[at] ?? 0) * 3_600_000)
    await Promise.all(
      pairs.map(async (pair, index) => {
        const one = histories[index]?.[at]
        if (one === undefined) return
        await pair.play(one)
        await pair.compare()
      }),
    )
  }
  assert.deepEqual(
    await verifyLedger(ledger.database).then((result) => (result.ok ? 'true books' : result)),
    'true books',
  )
})

keepPostgres()
