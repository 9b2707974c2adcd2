import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MoneyPosting } from '../money.ts'
import { sum } from '../shares.ts'
import { heldPosting, refundedPosting, replacedPosting, settledCard, soldPosting } from './books.ts'
import {
  activateCard,
  blockCard,
  cancelCardHold,
  commitCardHold,
  freeOf,
  type GiftCard,
  type GiftCardRefusal,
  giveBackToCard,
  heldOf,
  holdOnCard,
  payByCard,
  refundCard,
  reloadCard,
  replaceCard,
  returnCommitted,
} from './card.ts'

/** Ten times as many on demand. */
const HISTORIES = process.env['STAMPEDE_FULL'] === '1' ? 100_000 : 10_000
const STEPS = 40
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const MOST = 5_000n
const GRACE = 14

type Step =
  | { readonly kind: 'activate' | 'block' | 'replace' | 'refund'; readonly amount: bigint; readonly pick: number }
  | {
      readonly kind: 'reload' | 'pay' | 'hold' | 'commit' | 'cancel' | 'return'
      readonly amount: bigint
      readonly pick: number
    }
  | { readonly kind: 'wait'; readonly amount: bigint; readonly pick: number }

const kinds = [
  'activate',
  'reload',
  'pay',
  'pay',
  'hold',
  'hold',
  'commit',
  'cancel',
  'return',
  'block',
  'replace',
  'refund',
  'wait',
  'wait',
] as const satisfies readonly Step['kind'][]
const step = fc.record({
  kind: fc.constantFrom(...kinds),
  amount: fc.bigInt(1n, 2_000n),
  pick: fc.nat(9),
}) as fc.Arbitrary<Step>

/** What must hold of a card, kept apart from how the cards decide: money in and out, and promises with their ends. */
class Model {
  nowMs = 0
  state: 'issued' | 'active' | 'blocked' | 'refunded' = 'issued'
  money = 0n
  endMs = Number.POSITIVE_INFINITY
  used = false
  readonly promised = new Map<string, { readonly amount: bigint; readonly endMs: number }>()
  readonly captured = new Map<string, bigint>()

  get held(): bigint {
    return sum([...this.promised.values()].map(({ amount }) => amount))
  }

  /** What is left to spend: nothing of a card that is over. */
  get free(): bigint {
    return this.isUsable ? this.money - this.held : 0n
  }

  get isUsable(): boolean {
    return this.state === 'active' && this.nowMs < this.endMs
  }

  /** Lets time pass, instant by instant. */
  wait(toMs: number): void {
    for (; this.nowMs <= toMs; this.nowMs += 1) this.settle()
    this.nowMs = toMs
  }

  settle(): void {
    for (const [holdId, { endMs }] of this.promised) if (endMs <= this.nowMs) this.promised.delete(holdId)
    if (this.state === 'active' && this.nowMs >= this.endMs) this.money = this.held
  }
}

/** A card under test with its books. */
class Desk {
  card: GiftCard
  readonly postings: MoneyPosting[] = []
  readonly model = new Model()
  #ids = 0
  /** Payments that can still come back. */
  readonly paid: bigint[] = []

  constructor() {
    const sold = { isSold: false, isUsed: false, expiresAtMs: Number.POSITIVE_INFINITY, replacedBy: undefined }
    const plain = { cardId: 'c0', code: '', pin: '', batchId: '', valueMinor: 3_000n, balanceMinor: 0n }
    this.card = { ...plain, ...sold, state: 'issued', holds: [] }
  }

  /** Does a step on the card and in the model; both must agree on whether it is done. */
  do({ kind, amount, pick }: Step): void {
    const { model } = this
    if (kind === 'wait') model.wait(model.nowMs + Number(amount % 40n))
    this.#settle()
    const { card } = this
    const [holdId = ''] = [...model.promised.keys()].slice(pick % Math.max(model.promised.size, 1))
    const occurredAtMs = model.nowMs
    const sold = { amountMinor: amount, tender: 'cash', reference: '', occurredAtMs }
    switch (kind) {
      case 'activate': {
        const isDone = this.#take(activateCard(card, occurredAtMs + 60), model.state === 'issued')
        if (!isDone) break
        this.postings.push(soldPosting('gift_sale', card.cardId, { ...sold, amountMinor: card.valueMinor }))
        Object.assign(model, { state: 'active', money: card.valueMinor, endMs: occurredAtMs + 60 })
        break
      }
      case 'reload': {
        const may = model.isUsable && model.money + amount <= MOST
        if (!this.#take(reloadCard(card, amount, { mostMinor: MOST, expiresAtMs: occurredAtMs + 60 }), may)) break
        this.postings.push(soldPosting('gift_reload', card.cardId, sold))
        Object.assign(model, { money: model.money + amount, endMs: occurredAtMs + 60 })
        break
      }
      case 'pay': {
        if (!this.#take(payByCard(card, amount), model.isUsable && amount <= model.free)) break
        this.postings.push(heldPosting('gift_use', card.cardId, { ...sold, holdId: 'receipt' }))
        this.paid.push(amount)
        Object.assign(model, { money: model.money - amount, used: true })
        break
      }
      case 'hold': {
        this.#ids += 1
        const hold = { holdId: `h${this.#ids}`, reference: `b${this.#ids}`, amountMinor: amount }
        const expiresAtMs = occurredAtMs + 1 + pick * 5
        const may = model.isUsable && amount <= model.free
        if (!this.#take(holdOnCard(card, { ...hold, createdAtMs: occurredAtMs, expiresAtMs }), may)) break
        model.promised.set(hold.holdId, { amount, endMs: expiresAtMs })
        break
      }
      case 'commit': {
        const promised = model.promised.get(holdId)?.amount ?? 0n
        const outcome = commitCardHold(card, holdId, { amountMinor: amount, receiptId: undefined })
        if (!this.#take(outcome, promised > 0n && amount <= promised)) break
        this.postings.push(heldPosting('gift_use', card.cardId, { ...sold, holdId }))
        model.promised.delete(holdId)
        model.captured.set(holdId, amount)
        Object.assign(model, { money: model.money - amount, used: true })
        break
      }
      case 'cancel':
        if (this.#take(cancelCardHold(card, holdId), model.promised.has(holdId))) model.promised.delete(holdId)
        break
      case 'return':
        this.#giveBack(amount, pick)
        break
      case 'block':
        if (!this.#take(blockCard(card), model.state === 'issued' || model.isUsable)) break
        model.state = 'blocked'
        model.promised.clear()
        break
      case 'replace':
        this.#replace()
        break
      case 'refund': {
        const may = model.isUsable && !model.used && model.held === 0n
        if (!this.#take(refundCard(card), may)) break
        this.postings.push(refundedPosting(card, [{ tender: 'cash', amountMinor: card.balanceMinor }], occurredAtMs))
        Object.assign(model, { state: 'refunded', money: 0n })
        break
      }
    }
    model.settle()
    this.#settle()
  }

  /** Gives back what a receipt or a captured hold has paid. */
  #giveBack(amount: bigint, pick: number): void {
    const { model } = this
    const { card } = this
    const [holdId = ''] = [...model.captured.keys()].slice(pick % Math.max(model.captured.size, 1))
    const isHold = pick % 2 === 0 && card.holds.some((hold) => hold.holdId === holdId)
    const open = isHold ? (model.captured.get(holdId) ?? 0n) : (this.paid.at(-1) ?? 0n)
    if (isHold) {
      if (!this.#take(returnCommitted(card, holdId, amount), amount <= open)) return
      model.captured.set(holdId, open - amount)
    } else {
      if (amount > open) return
      this.paid.splice(-1, 1, open - amount)
    }
    const occurredAtMs = model.nowMs
    this.card = giveBackToCard(this.card, amount, occurredAtMs + GRACE)
    const back = { amountMinor: amount, holdId, reference: '', occurredAtMs }
    this.postings.push(heldPosting('gift_return', card.cardId, back))
    if (model.state === 'active' && !model.isUsable) model.endMs = occurredAtMs + GRACE
    model.money += amount
  }

  #replace(): void {
    const { model, card } = this
    this.#ids += 1
    const identity = { cardId: `c${this.#ids}`, code: '', pin: '' }
    const outcome = replaceCard(card, identity, model.nowMs + GRACE)
    const isDone = !('ok' in outcome)
    assert.equal(isDone, model.state === 'blocked' && card.isSold, 'replace')
    if (!isDone) return
    this.postings.push(replacedPosting(card, outcome.replacement, model.nowMs))
    assert.deepEqual([outcome.card.balanceMinor, payByCard(outcome.card, 1n)], [0n, { ok: false, reason: 'invalid' }])
    this.card = outcome.replacement
    Object.assign(model, { state: 'active', endMs: Math.max(model.endMs, model.nowMs + GRACE) })
  }

  #settle(): void {
    const { card, postings } = settledCard(this.card, this.model.nowMs)
    this.card = card
    this.postings.push(...postings)
  }

  #take(outcome: GiftCard | GiftCardRefusal, expected: boolean): boolean {
    const isDone = !('ok' in outcome)
    assert.equal(isDone, expected, `the model expected ${expected}`)
    if (isDone) this.card = outcome
    return isDone
  }

  /** The card is what the model says, and its books are what the card says. */
  check(): void {
    const { card, model } = this
    assert.equal(card.balanceMinor, model.money)
    assert.equal(card.state === 'active' ? freeOf(card) : 0n, model.free)
    assert.equal(heldOf(card), model.held)
    const owed = new Map<string, bigint>()
    for (const { account, party, amountMinor } of this.postings.flatMap(({ entries }) => entries)) {
      if (account === 'giftcard') owed.set(party, (owed.get(party) ?? 0n) - amountMinor)
    }
    for (const [cardId, amount] of owed) assert.equal(amount, cardId === card.cardId ? card.balanceMinor : 0n)
  }
}

test(`${HISTORIES} histories of ${STEPS} steps of a gift card agree with a small model, step by step`, () => {
  const history = fc.array(step, { minLength: STEPS, maxLength: STEPS })
  const run = fc.property(history, (steps) => {
    const desk = new Desk()
    for (const one of steps) {
      desk.do(one)
      desk.check()
    }
  })
  console.info(`SEED=${SEED}`)
  fc.assert(run, { numRuns: HISTORIES, seed: SEED })
})
