import assert from 'node:assert/strict'
import { type CallContext, type Clock, StampedeError } from '@stampede/platform'
import type { Balance } from '@stampede/proto/ledger/v1'
import type { ledgerHandlers } from '../../rpc/handlers.ts'
import type { pointsHandlers } from '../../rpc/points/handlers.ts'
import { holdOf, returnOf, saleOf } from '../ledger.ts'
import type { Model, ModelAnswer } from './model.ts'
import { least } from './model-prices.ts'
import type { Step } from './steps.ts'

/** What expiries a balance shows at most. */
const EXPIRIES_SHOWN = 12
const HOUR_MS = 3_600_000

/** A ledger that a history is told to. */
export interface ToldLedger {
  readonly handlers: ReturnType<typeof ledgerHandlers>
  readonly points: ReturnType<typeof pointsHandlers>
  readonly clock: Clock
  readonly call: CallContext
}

/** A history's own things: its brand, two members, and the codes of its campaigns. */
export interface Cast {
  readonly brand: string
  /** Prefix of all names. */
  readonly name: string
  readonly memberIds: readonly [string, string]
  readonly codes: readonly string[]
}

interface Asked {
  ask(change: bigint): Promise<unknown>
  readonly answer: unknown
}

interface Held {
  readonly id: string
  readonly points: bigint
  readonly who: number
}

/** Tells one history to a ledger and to the model, and compares what they answer. */
export class Player {
  readonly #ledger: ToldLedger
  readonly #cast: Cast
  readonly #model: Model
  readonly #asked: Asked[] = []
  /** Ids of the ledger, in the order of the model's sales and holds. */
  readonly #receipts: string[] = []
  readonly #holds: Held[] = []
  readonly #second: CallContext
  #next = 0

  constructor(ledger: ToldLedger, cast: Cast, model: Model) {
    this.#ledger = ledger
    this.#cast = cast
    this.#model = model
    this.#second = { ...ledger.call, caller: { ...ledger.call.caller, keyId: 'second' } }
  }

  async play(step: Step): Promise<void> {
    switch (step.kind) {
      case 'sale':
        return await this.#sell(step)
      case 'hold':
        return await this.#hold(step)
      case 'resolve':
        return await this.#resolve(step)
      case 'return': {
        const at = this.#sale(step.pick)
        return at === undefined ? undefined : await this.#giveBack(at, step.lines)
      }
      case 'return_all':
        for (let next = 0; next < step.sales; next++) await this.giveRestBack(step.pick + next, undefined)
        return
      case 'grant':
      case 'correct':
        return await this.#event(step)
      case 'adjust':
        return await this.#adjust(step)
      case 'activate':
        return await this.#activate(step.pick)
      case 'transfer':
        return await this.#transfer(step)
      case 'repeat':
      case 'other_body':
        return await this.#again(step)
      case 'nothing':
        return
    }
  }

  /** Returns what is left of a sale: at once, or piece by piece in the order of the ranks. */
  async giveRestBack(pick: number, ranks: readonly number[] | undefined): Promise<void> {
    const at = this.#sale(pick)
    const sale = at === undefined ? undefined : this.#model.sales[at]
    if (at === undefined || sale === undefined) return
    const left = sale.lines
      .map(({ quantity }, line) => ({ line, quantity: quantity - (sale.returned[line] ?? 0n) }))
      .filter(({ quantity }) => quantity > 0n)
    if (left.length === 0) return
    if (ranks === undefined) return await this.#giveBack(at, left)
    const pieces = left.flatMap(({ line, quantity }) => Array.from({ length: Number(quantity) }, () => line))
    const ranked = pieces.map((line, index) => ({ line, rank: ranks[index] ?? 0 }))
    for (const { line } of ranked.toSorted((one, other) => one.rank - other.rank)) {
      await this.#giveBack(at, [{ line, quantity: 1n }])
    }
  }

  /** A balance is what the model says, to the end of every point. */
  check(who: number, { available, pending, held, debt, expiries }: Balance): void {
    const member = this.#model.view(who, this.#nowMs)
    const told = [available, pending, held, debt]
    assert.deepEqual(told, [member.sum('left'), member.sum('pending'), member.sum('held'), member.debt])
    const byEnd = new Map<number, bigint>()
    for (const { left, endsAt } of member.lots) {
      if (left > 0n && endsAt < Number.POSITIVE_INFINITY) byEnd.set(endsAt, (byEnd.get(endsAt) ?? 0n) + left)
    }
    const ends = [...byEnd].sort(([one], [other]) => one - other).slice(0, EXPIRIES_SHOWN)
    assert.deepEqual(
      expiries.map(({ expiresAt, points }) => [expiresAt?.getTime(), points]),
      ends,
    )
  }

  get #nowMs(): number {
    return this.#ledger.clock.nowMs()
  }

  #key(kind: string): string {
    return `${this.#cast.name}-${kind}-${this.#next++}`
  }

  #memberId(who: number): string {
    return this.#cast.memberIds[who] ?? ''
  }

  #sale(pick: number): number | undefined {
    const count = this.#receipts.length
    return count === 0 ? undefined : count - 1 - (pick % count)
  }

  async #sell({
    who,
    storeId,
    lines,
    agoHours,
    hold: pick,
    share,
    codes,
  }: Step & { readonly kind: 'sale' }): Promise<void> {
    const hold = pick === 'own' ? await this.#ownHold(who, share) : this.#picked(pick)
    const wanted = hold === undefined ? 0n : (hold.points * BigInt(share)) / 100n
    const points = pick === 'own' ? least(hold?.points ?? 0n, this.#model.mostFor(lines)) : wanted
    const at = this.#nowMs - agoHours * HOUR_MS
    const number = this.#key('sale')
    const { brand, name } = this.#cast
    const ask = (change = 0n) => {
      const request = saleOf('', number, {
        brand,
        memberId: this.#memberId(who),
        storeId: `${name}-${storeId}`,
        occurredAt: new Date(at),
        lines: lines.map((line) => ({ ...line, amountMinor: line.amountMinor + change })),
        holdId: hold?.id ?? '',
        pointsToPay: points,
        couponCodes: codes.map((code) => this.#cast.codes[code] ?? ''),
      })
      return this.#ledger.handlers.postReceipt(request, this.#ledger.call)
    }
    const now = this.#nowMs
    const expected = this.#model.sell({ who, storeId, lines, at, holdId: hold?.id, points, codes, now })
    const answer = await this.#same(who, expected, ask, (told) => [
      told.pointsEarned,
      told.pointsSpent,
      told.totalMinor,
      told.discountMinor,
    ])
    if (answer !== undefined) this.#receipts.push(answer.receiptId)
  }

  async #giveBack(at: number, lines: readonly { readonly line: number; readonly quantity: bigint }[]): Promise<void> {
    const number = this.#key('return')
    const occurredAt = new Date(this.#nowMs)
    const who = this.#model.sales[at]?.who ?? 0
    const ask = (change = 0n) => {
      const request = returnOf(this.#receipts[at] ?? '', number, {
        brand: this.#cast.brand,
        memberId: this.#memberId(who),
        occurredAt,
        lines: lines.map(({ line, quantity }) => ({ lineIndex: line, quantity: quantity + change })),
      })
      return this.#ledger.handlers.returnReceipt(request, this.#ledger.call)
    }
    const expected = this.#model.giveBack(at, lines, this.#nowMs)
    await this.#same(who, expected, ask, (told) => [
      told.refundMinor,
      told.pointsRestored,
      told.pointsReversed,
      told.pointsWrittenOff,
    ])
  }

  async #hold({ who, points, reference, hours }: Step & { readonly kind: 'hold' }): Promise<void> {
    const more = { idempotencyKey: this.#key('hold'), brand: this.#cast.brand, memberId: this.#memberId(who) }
    const ask = (change = 0n) => {
      const request = holdOf('', points + change, reference, { ...more, ttlSeconds: hours * 3_600 })
      return this.#ledger.handlers.createHold(request, this.#ledger.call)
    }
    // The ledger names the hold; the model takes the name over, and asks nothing of it before.
    const before = this.#model.view(who, this.#nowMs)
    const answer = await this.#tried(ask)
    const id = typeof answer === 'string' ? 'refused' : answer.holdId
    assert(!before.holds.has(id))
    const endsAt = this.#nowMs + hours * HOUR_MS
    const expected = this.#model.hold(who, id, reference, points, endsAt, this.#nowMs)
    this.#compare(who, expected, answer, () => [])
    if (typeof answer === 'string') return
    this.#asked.push({ ask, answer })
    this.#holds.push({ id, points, who })
  }

  /** Holds a share of what is there for a sale. */
  async #ownHold(who: number, share: number): Promise<Held | undefined> {
    const available = this.#model.view(who, this.#nowMs).sum('left')
    const points = least((available * BigInt(share)) / 100n, available)
    if (points === 0n) return undefined
    await this.#hold({ kind: 'hold', who, points, reference: 'own', hours: 1 })
    return this.#holds.at(-1)
  }

  #picked(pick: number | undefined): Held | undefined {
    return pick === undefined ? undefined : this.#holds.at(-1 - (pick % Math.max(1, this.#holds.length)))
  }

  async #resolve({ pick, share }: Step & { readonly kind: 'resolve' }): Promise<void> {
    const hold = this.#picked(pick)
    if (hold === undefined) return
    const { handlers, call } = this.#ledger
    const points = (hold.points * BigInt(share) + 99n) / 100n
    const base = { idempotencyKey: this.#key('resolve'), brand: this.#cast.brand, holdId: hold.id }
    const expected = this.#model.resolve(hold.id, points, this.#nowMs)
    if (points === 0n) {
      await this.#same(
        hold.who,
        expected,
        () => handlers.cancelHold(base, call),
        () => [],
        false,
      )
      return
    }
    const ask = (change = 0n) => handlers.commitHold({ ...base, points: points + change }, call)
    await this.#same(hold.who, expected, ask, () => [])
  }

  async #event({ kind, who, event, points }: Step & { readonly kind: 'grant' | 'correct' }): Promise<void> {
    const common = { idempotencyKey: this.#key(kind), brand: this.#cast.brand, memberId: this.#memberId(who) }
    const { points: rpcs, call } = this.#ledger
    if (kind === 'grant') {
      const more = { eventKey: event, occurredAt: undefined, liveDays: 0, funder: '' }
      const ask = (change = 0n) => rpcs.grantPoints({ ...common, ...more, points: points + change }, call)
      const expected = this.#model.grant(who, event, points, String(points), this.#nowMs)
      await this.#same(who, expected, ask, (told) => [told.points], true, false)
      return
    }
    const ask = (change = 0n) => rpcs.correctGrant({ ...common, eventKey: event, points: points + change }, call)
    await this.#same(
      who,
      this.#model.correct(who, event, points, this.#nowMs),
      ask,
      (told) => [told.points],
      true,
      false,
    )
  }

  async #adjust({ who, points, isApproved }: Step & { readonly kind: 'adjust' }): Promise<void> {
    const { brand } = this.#cast
    const { points: rpcs, call } = this.#ledger
    const request = {
      idempotencyKey: this.#key('adjust'),
      brand,
      memberId: this.#memberId(who),
      points,
      reason: 'test',
    }
    const expected = this.#model.adjust(who, points, isApproved, this.#nowMs)
    const ask = async () => {
      const told = await rpcs.adjustPoints(request, call)
      if (told.state === 'posted') return told
      const { adjustmentId } = told
      const resolve = { idempotencyKey: this.#key('approve'), brand, adjustmentId, approve: isApproved }
      return await rpcs.resolveAdjustment(resolve, this.#second)
    }
    await this.#same(who, expected, ask, () => [], false, false)
  }

  async #activate(pick: number): Promise<void> {
    const at = this.#sale(pick)
    if (at === undefined) return
    const who = this.#model.sales[at]?.who ?? 0
    const common = { idempotencyKey: this.#key('activate'), brand: this.#cast.brand, memberId: this.#memberId(who) }
    const expected = this.#model.activate(at, this.#nowMs)
    const ask = () =>
      this.#ledger.points.activatePoints({ ...common, causeId: this.#receipts[at] ?? '' }, this.#ledger.call)
    await this.#same(who, expected, ask, () => [], false)
  }

  async #transfer({ who, points }: Step & { readonly kind: 'transfer' }): Promise<void> {
    const common = { idempotencyKey: this.#key('transfer'), brand: this.#cast.brand, memberId: this.#memberId(who) }
    const ask = (change = 0n) => {
      const request = { ...common, toMemberId: this.#memberId(1 - who), points: points + change }
      return this.#ledger.points.transferPoints(request, this.#ledger.call)
    }
    await this.#same(who, this.#model.transfer(who, points, this.#nowMs), ask, () => [])
  }

  async #again({ kind, pick }: Step & { readonly kind: 'repeat' | 'other_body' }): Promise<void> {
    const asked = this.#asked.at(-1 - (pick % Math.max(1, this.#asked.length)))
    if (asked === undefined) return
    if (kind === 'repeat') assert.deepEqual(await this.#tried(() => asked.ask(0n)), asked.answer)
    else assert.equal(await this.#tried(() => asked.ask(1n)), 'IDEMPOTENCY_CONFLICT')
  }

  /** Asks the ledger and compares: the code of the refusal, or the figures and the balance of the answer. */
  async #same<Told extends { readonly balance?: Balance | undefined }>(
    who: number,
    expected: ModelAnswer,
    ask: (change?: bigint) => Promise<Told>,
    figuresOf: (told: Told) => readonly bigint[],
    canRepeat = true,
    hasFreshBalance = true,
  ): Promise<Told | undefined> {
    const answer = await this.#tried(ask)
    this.#compare(who, expected, answer, figuresOf, hasFreshBalance)
    if (typeof answer === 'string') return undefined
    if (canRepeat) this.#asked.push({ ask, answer })
    return answer
  }

  #compare<Told extends { readonly balance?: Balance | undefined }>(
    who: number,
    expected: ModelAnswer,
    answer: Told | string,
    figuresOf: (told: Told) => readonly bigint[],
    hasFreshBalance = true,
  ): void {
    assert.equal(typeof answer === 'string' ? answer : undefined, expected.error)
    if (typeof answer === 'string') return
    assert.deepEqual(figuresOf(answer), expected.error === undefined ? expected.figures : [])
    if (hasFreshBalance && answer.balance !== undefined) this.check(who, answer.balance)
  }

  async #tried<Told>(ask: (change?: bigint) => Promise<Told>): Promise<Told | string> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof StampedeError && error.code !== 'INTERNAL') return error.code
      throw error
    }
  }
}
