import { ModelCoupons, type Uses } from './model-coupons.ts'
import { dayOf, lastOfMonth, monthsAfter, startOf } from './model-days.ts'
import { type ModelHold, type ModelLot, ModelMember, sumOf, type Taken } from './model-member.ts'
import { add, least, type ModelLine, payable, returnedShare, type SoldLine, soldLines } from './model-prices.ts'
import { type ModelCampaign, type ModelRules, START_MS } from './model-rules.ts'
import { type Counted, ModelStanding } from './model-tiers.ts'

const DAY_MS = 86_400_000
/** Points become active at least so long before their programme ends. */
const LAST_CHANCE_MS = 30 * DAY_MS

/** What a command comes to: the code of a refusal, or the figures of the answer. */
export type ModelAnswer =
  | { readonly error: string }
  | { readonly error?: undefined; readonly figures: readonly bigint[] }

interface ModelSale {
  readonly who: number
  readonly day: number
  readonly lines: readonly SoldLine[]
  returned: bigint[]
  readonly lot: number | undefined
  readonly spent: readonly Taken[]
  readonly uses: Uses
  /** What its returns took: from lots, before it was active, and as debt. */
  taken: Taken[]
  takenPending: bigint
  takenDebt: bigint
}

/** Somebody gives points to a member: when, and for what event. */
interface ModelGrant {
  readonly cause: string
  readonly at: number
  readonly content: string
  points: bigint
}

/**
 * A ledger of two members in plain lists, one command after the other, written from the rules and not from the ledger's
 * code. Every command works on a copy, so a refused one leaves no trace.
 */
export class Model {
  readonly #rules: ModelRules
  readonly #coupons: ModelCoupons
  readonly members = [new ModelMember(), new ModelMember()]
  readonly #standings: readonly ModelStanding[]
  readonly sales: ModelSale[] = []
  readonly #grants = new Map<string, ModelGrant>()
  readonly #holders = new Map<string, number>()
  #next = 1

  constructor(rules: ModelRules, campaigns: readonly ModelCampaign[], codesEach: number) {
    this.#rules = rules
    this.#coupons = new ModelCoupons(campaigns, codesEach, START_MS)
    const { tiers } = rules
    this.#standings = tiers === undefined ? [] : this.members.map(() => new ModelStanding(tiers))
  }

  /** Codes, and the tiers of the members as places in the ladder. */
  standing() {
    return { codes: this.#coupons.states(), ranks: this.#standings.map(({ rank }) => rank) }
  }

  /** Most points that pay for lines. */
  mostFor(lines: readonly ModelLine[]): bigint {
    const most = add(payable(this.#rules, lines))
    return most - (most % this.#rules.payStep)
  }

  /** A member as seen at an instant. */
  view(who: number, now: number): ModelMember {
    const member = this.#member(who).copy()
    member.settle(now)
    return member
  }

  sell(sale: {
    readonly who: number
    readonly storeId: string
    readonly lines: readonly ModelLine[]
    readonly at: number
    readonly holdId: string | undefined
    readonly points: bigint
    readonly codes: readonly number[]
    readonly now: number
  }): ModelAnswer {
    const { who, storeId, at, holdId, points, codes, now } = sale
    const rules = this.#rules
    this.#look(who, now)
    const hundredths = this.#standings[who]?.hundredthsAt(at) ?? 100n
    const shown = this.#coupons.show(who, codes, storeId, sale.lines, now)
    if (typeof shown === 'string') return { error: shown }
    const limit = add(payable(rules, shown.lines))
    if (points > limit || points % rules.payStep !== 0n) return { error: 'INVALID_ARGUMENT' }
    const member = this.view(who, now)
    const slidesTo = rules.isSliding ? this.#lifeEnd(at) : Number.NEGATIVE_INFINITY
    for (const lot of member.lots) if (lot.left + lot.held > 0n) lot.endsAt = Math.max(lot.endsAt, slidesTo)
    let spent: Taken[] = []
    if (holdId !== undefined) {
      const hold = this.#usable(member, holdId)
      if (typeof hold === 'string') return { error: hold }
      if (points > sumOf(hold.taken)) return { error: 'INVALID_ARGUMENT' }
      spent = this.#capture(member, hold, points, now)
    }
    const isOpen = rules.endsAtMs === undefined || at < rules.endsAtMs
    const lines = soldLines(rules, shown.lines, { points, hundredths, isOpen })
    const earned = add(lines.map((line) => line.earned))
    const cause = `sale ${this.sales.length}`
    let lot: number | undefined
    if (earned > 0n) {
      lot = this.#next++
      member.books.issued += earned
      member.grant(rules, { no: lot, earnedAt: at, cause, ...this.#term(at) }, earned, now)
    }
    this.members[who] = member
    this.#coupons.use(shown.uses)
    const record = { who, day: dayOf(at), lines, returned: lines.map(() => 0n), lot, spent, uses: shown.uses }
    this.sales.push({ ...record, taken: [], takenPending: 0n, takenDebt: 0n })
    this.#count(record.day, this.#counted(record), who, now)
    return { figures: [earned, points, add(lines.map((line) => line.amountMinor)), shown.discount] }
  }

  giveBack(
    at: number,
    lines: readonly { readonly line: number; readonly quantity: bigint }[],
    now: number,
  ): ModelAnswer {
    const sale = this.sales[at]
    if (sale === undefined) throw new Error('the model has no such sale')
    const returned = [...sale.returned]
    for (const { line, quantity } of lines) {
      const sold = sale.lines[line]
      if (sold === undefined) return { error: 'INVALID_ARGUMENT' }
      returned[line] = (returned[line] ?? 0n) + quantity
      if ((returned[line] ?? 0n) > sold.quantity) return { error: 'RETURN_EXCEEDS_SALE' }
    }
    const before = returnedShare(this.#rules, sale.lines, sale.returned)
    const after = returnedShare(this.#rules, sale.lines, returned)
    const countedBefore = this.#counted(sale)
    const member = this.view(sale.who, now)
    const isOver = this.#isOver(now)
    const restored = after.paid - before.paid
    if (isOver) member.books.adjusted += restored
    else this.#restore(member, sale, at, before.paid, restored, now)
    member.books.redeemed -= restored
    const reversed = this.#takeBack(member, sale, after.earned, now)
    member.books.issued -= reversed
    member.end(now)
    this.members[sale.who] = member
    sale.returned = returned
    const counted = this.#counted(sale)
    const lost = {
      spend: counted.spend - countedBefore.spend,
      points: counted.points - countedBefore.points,
      visits: counted.visits - countedBefore.visits,
    }
    this.#count(sale.day, lost, sale.who, now)
    if (sale.lines.every(({ quantity }, line) => returned[line] === quantity)) this.#coupons.giveBack(sale.uses, now)
    return { figures: [after.money - before.money, restored, reversed, isOver ? restored : 0n] }
  }

  hold(who: number, holdId: string, reference: string, points: bigint, endsAt: number, now: number): ModelAnswer {
    const member = this.view(who, now)
    for (const hold of member.holds.values()) {
      if (hold.state === 'open' && hold.reference === reference) member.release(hold, 'resolved')
    }
    member.end(now)
    if (member.sum('left') < points) return { error: 'INSUFFICIENT_POINTS' }
    const taken = member.take(points)
    for (const { no, points: some } of taken) member.lot(no).held += some
    member.holds.set(holdId, { reference, endsAt, taken, state: 'open' })
    this.members[who] = member
    this.#holders.set(holdId, who)
    return { figures: [] }
  }

  /** Uses so much of a hold; nothing of it: gives it up. */
  resolve(holdId: string, points: bigint, now: number): ModelAnswer {
    const who = this.#holders.get(holdId)
    if (who === undefined) return { error: 'NOT_FOUND' }
    const member = this.view(who, now)
    const hold = this.#usable(member, holdId)
    if (typeof hold === 'string') return { error: hold }
    if (points > sumOf(hold.taken)) return { error: 'INVALID_ARGUMENT' }
    this.#capture(member, hold, points, now)
    this.members[who] = member
    return { figures: [] }
  }

  /** Points for an event; `content` is what was asked, by which a repeat is told from another request. */
  grant(who: number, event: string, points: bigint, content: string, now: number): ModelAnswer {
    const name = `${who} ${event}`
    const known = this.#grants.get(name)
    if (known !== undefined)
      return known.content === content ? { figures: [known.points] } : { error: 'ALREADY_EXISTS' }
    const grant = { cause: `event ${name}`, at: now, content, points }
    this.#grants.set(name, grant)
    this.#give(who, grant.cause, points, { at: now, from: now, against: 'issued' }, now)
    return { figures: [points] }
  }

  correct(who: number, event: string, points: bigint, now: number): ModelAnswer {
    const grant = this.#grants.get(`${who} ${event}`)
    if (grant === undefined) return { error: 'NOT_FOUND' }
    const more = points - grant.points
    grant.points = points
    if (more > 0n) this.#give(who, grant.cause, more, { at: grant.at, from: grant.at, against: 'issued' }, now)
    if (more < 0n) {
      const member = this.view(who, now)
      member.books.issued += more
      const first = member.take(-more, (lot) => lot.cause === grant.cause)
      const then = member.take(-more - sumOf(first))
      member.debt += -more - sumOf(first) - sumOf(then)
      this.members[who] = member
    }
    return { figures: [points] }
  }

  /** A correction by hand; above the limit `isApproved` by a second person says what becomes of it. */
  adjust(who: number, points: bigint, isApproved: boolean, now: number): ModelAnswer {
    const size = points < 0n ? -points : points
    if (size > this.#rules.adjustLimit && !isApproved) return { figures: [] }
    if (points > 0n) {
      this.#give(who, 'by hand', points, { at: now, from: now, against: 'adjusted' }, now)
      return { figures: [] }
    }
    const member = this.view(who, now)
    if (member.sum('left') < size) return { error: 'INSUFFICIENT_POINTS' }
    member.take(size)
    member.books.adjusted += size
    this.members[who] = member
    return { figures: [] }
  }

  /** Somebody says that the points of a sale are to be active. */
  activate(at: number, now: number): ModelAnswer {
    const sale = this.sales[at]
    const member = this.view(sale?.who ?? 0, now)
    const lots = member.lots.filter((lot) => lot.pending > 0n && lot.cause === `sale ${at}`)
    if (sale === undefined || lots.length === 0) return { error: 'FAILED_PRECONDITION' }
    for (const lot of lots) {
      lot.activatesAt = now
      lot.endsAt = Math.min(this.#lifeEnd(now), this.#rules.endsAtMs ?? Number.POSITIVE_INFINITY)
      member.activate(lot)
    }
    this.members[sale.who] = member
    return { figures: [] }
  }

  transfer(from: number, points: bigint, now: number): ModelAnswer {
    const { transferLimit } = this.#rules
    if (transferLimit === 0n) return { error: 'FAILED_PRECONDITION' }
    if (points > transferLimit) return { error: 'INVALID_ARGUMENT' }
    const giver = this.view(from, now)
    if (giver.debt > 0n) return { error: 'FAILED_PRECONDITION' }
    if (giver.sum('left') < points) return { error: 'INSUFFICIENT_POINTS' }
    const taker = this.view(1 - from, now)
    for (const { no, points: some } of giver.take(points)) {
      const { earnedAt, endsAt, repayBasisPoints } = giver.lot(no)
      const part = { no: this.#next++, earnedAt, endsAt, activatesAt: now, cause: 'transfer', instead: 0, held: 0n }
      const lot = { ...part, repayBasisPoints, left: 0n, pending: some }
      taker.lots.push(lot)
      taker.activate(lot)
    }
    giver.books.transferred += points
    taker.books.transferred -= points
    this.members[from] = giver
    this.members[1 - from] = taker
    return { figures: [] }
  }

  /** What time has done is done for good, even if the clock goes back; tiers that have ended are closed. */
  sweep(now: number): void {
    for (const who of this.members.keys()) {
      this.members[who] = this.view(who, now)
      if (this.#standings[who]?.isDue(now) === true) this.#look(who, now)
    }
  }

  #member(who: number): ModelMember {
    const member = this.members[who]
    if (member === undefined) throw new Error('the model has two members')
    return member
  }

  #isOver(now: number): boolean {
    return this.#rules.endsAtMs !== undefined && this.#rules.endsAtMs <= now
  }

  #look(who: number, now: number): void {
    for (const { at, points } of this.#standings[who]?.look(now) ?? []) {
      this.#give(who, 'tier', points, { at, from: now, against: 'issued' }, now)
    }
  }

  #count(day: number, counted: Counted, who: number, now: number): void {
    this.#look(who, now)
    this.#standings[who]?.count(day, counted)
    this.#look(who, now)
  }

  #counted({ lines, returned }: Pick<ModelSale, 'lines' | 'returned'>): Counted {
    const { pointValue, hasGoods } = this.#rules
    const counting = lines.map((line, at) => ({ line, back: returned[at] ?? 0n }))
    const spending = counting.filter(({ line }) => !hasGoods || line.category !== 'tobacco')
    const money = spending.map(({ line: { amountMinor, paid, quantity }, back }) => {
      const whole = amountMinor - paid * pointValue
      return whole - (whole * back) / quantity
    })
    const points = counting.map(({ line: { earned, quantity }, back }) => earned - (earned * back) / quantity)
    const isKept = counting.some(({ line, back }) => back < line.quantity)
    return { spend: add(money), points: add(points), visits: isKept ? 1n : 0n }
  }

  #usable(member: ModelMember, holdId: string): ModelHold | string {
    const hold = member.holds.get(holdId)
    if (hold === undefined) return 'NOT_FOUND'
    if (hold.state === 'expired') return 'HOLD_EXPIRED'
    return hold.state === 'open' ? hold : 'HOLD_RESOLVED'
  }

  #capture(member: ModelMember, hold: ModelHold, points: bigint, now: number): Taken[] {
    member.release(hold, 'resolved')
    const spent: Taken[] = []
    let open = points
    for (const { no, points: some } of hold.taken) {
      const used = least(some, open)
      if (used > 0n) spent.push({ no, points: used })
      member.lot(no).left -= used
      open -= used
    }
    member.books.redeemed += points
    member.end(now)
    return spent
  }

  /** Gives points that are spendable at once; their term begins at `from`. */
  #give(
    who: number,
    cause: string,
    points: bigint,
    { at, from, against }: { readonly at: number; readonly from: number; readonly against: 'issued' | 'adjusted' },
    now: number,
  ): void {
    const member = this.view(who, now)
    if (against === 'issued') member.books.issued += points
    else member.books.adjusted -= points
    const endsAt = Math.min(this.#lifeEnd(from), this.#rules.endsAtMs ?? Number.POSITIVE_INFINITY)
    member.grant(this.#rules, { no: this.#next++, earnedAt: at, activatesAt: from, endsAt, cause }, points, now)
    this.members[who] = member
  }

  /** The last points that paid for the sale and have not come back yet go to the lots that they came from. */
  #restore(member: ModelMember, sale: ModelSale, at: number, already: bigint, points: bigint, now: number): void {
    // One by one, from the end: as slow as it is plain.
    const order = sale.spent.toReversed()
    let skip = already
    let open = points
    for (const { no, points: some } of order) {
      const skipped = least(some, skip)
      const back = least(some - skipped, open)
      skip -= skipped
      open -= back
      if (back > 0n) this.#restoreTo(member, member.lot(no), `sale ${at}`, now).left += back
    }
  }

  #restoreTo(member: ModelMember, lot: ModelLot, cause: string, now: number): ModelLot {
    const { restore, endsAtMs = Number.POSITIVE_INFINITY } = this.#rules
    if (lot.endsAt > now || restore === 'original_expiry') return lot
    const wanted = restore === 'new_term' ? this.#lifeEnd(now) : startOf(dayOf(now) + restore.days + 1)
    const endsAt = Math.min(wanted, endsAtMs)
    const found = member.lots.find((one) => one.instead === lot.no && one.cause === cause && one.endsAt === endsAt)
    if (found !== undefined) return found
    const { earnedAt, activatesAt, repayBasisPoints } = lot
    const made = {
      no: this.#next++,
      left: 0n,
      pending: 0n,
      held: 0n,
      earnedAt,
      activatesAt,
      endsAt,
      cause,
      instead: lot.no,
      repayBasisPoints,
    }
    member.lots.push(made)
    return made
  }

  /** What earlier returns of the sale took from what lives comes back, then all that they and this one want is taken at once. */
  #takeBack(member: ModelMember, sale: ModelSale, wanted: bigint, now: number): bigint {
    const { returnPolicy, debtLimit } = this.#rules
    const before = sumOf(sale.taken) + sale.takenPending + sale.takenDebt
    const gone = sale.taken.filter(({ no }) => member.lot(no).endsAt <= now)
    for (const { no, points } of sale.taken) if (!gone.some((one) => one.no === no)) member.lot(no).left += points
    const mayOwe = returnPolicy === 'unlimited' && !this.#isOver(now)
    const forgiven = mayOwe ? least(member.debt, sale.takenDebt) : 0n
    const repaid = sale.takenDebt - forgiven
    member.debt -= forgiven
    let open = wanted - sale.takenPending - sumOf(gone) - repaid
    const own = sale.lot === undefined ? undefined : member.lot(sale.lot)
    if (own !== undefined) {
      const pending = least(own.pending, open)
      own.pending -= pending
      sale.takenPending += pending
      open -= pending
    }
    const taken: Taken[] = []
    if (returnPolicy !== 'only_pending') {
      const living = (lot: ModelLot) => lot.endsAt > now
      taken.push(...member.take(open, (lot) => lot === own && living(lot)))
      taken.push(...member.take(open - sumOf(taken), (lot) => living(lot)))
    }
    open -= sumOf(taken)
    // Own debt of before has its room in any case.
    const others = member.debt + forgiven
    const room = debtLimit === undefined ? open : forgiven + (debtLimit > others ? debtLimit - others : 0n)
    const debt = mayOwe ? least(open, room) : 0n
    member.debt += debt
    sale.taken = [...gone, ...taken]
    sale.takenDebt = repaid + debt
    return sumOf(sale.taken) + sale.takenPending + sale.takenDebt - before
  }

  #term(at: number): { readonly activatesAt: number; readonly endsAt: number } {
    const { activation, endsAtMs = Number.POSITIVE_INFINITY } = this.#rules
    if (activation !== undefined && 'timeout' in activation) {
      return {
        activatesAt: Number.POSITIVE_INFINITY,
        endsAt: Math.min(startOf(dayOf(at) + activation.timeout + 1), endsAtMs),
      }
    }
    const wanted = activation === undefined ? at : startOf(dayOf(at) + activation.delay)
    const activatesAt = Math.max(Math.min(wanted, endsAtMs - LAST_CHANCE_MS), at)
    return { activatesAt, endsAt: Math.min(this.#lifeEnd(activatesAt), endsAtMs) }
  }

  #lifeEnd(from: number): number {
    const { unit, count, toMonthEnd } = this.#rules.life
    if (unit === 'unlimited') return Number.POSITIVE_INFINITY
    const last = unit === 'days' ? dayOf(from) + count : monthsAfter(dayOf(from), count)
    return startOf((toMonthEnd ? lastOfMonth(last) : last) + 1)
  }
}
