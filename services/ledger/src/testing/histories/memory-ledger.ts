import assert from 'node:assert/strict'
import type { BrandInfo, CallContext, Database } from '@stampede/platform'
import { type TestClock, testClock } from '@stampede/platform/testing'
import type { Balance } from '@stampede/proto/ledger/v1'
import { toBalance } from '../../answers.ts'
import { campaignOf } from '../../campaign-message.ts'
import { type Account, emptyAccount, type Hold, type Lot } from '../../domain/account.ts'
import { endOfLife, localDay } from '../../domain/calendar.ts'
import { normalizeCode } from '../../domain/coupons/codes.ts'
import { type CouponCampaign, endOf } from '../../domain/coupons/coupon.ts'
import { MissLimiter } from '../../domain/coupons/miss-limiter.ts'
import type { LedgerAccount, Posting } from '../../domain/posting.ts'
import type { Programme } from '../../domain/programme.ts'
import { rankOf } from '../../domain/tiers/ladder.ts'
import { viewAt } from '../../domain/view.ts'
import { applyItem } from '../../flush/apply.ts'
import { Committer } from '../../flush/committer.ts'
import type { Item, ItemResult } from '../../flush/item.ts'
import { accountsOf } from '../../flush/load.ts'
import { applySettle } from '../../flush/perform.ts'
import { assembleTiers, settleTier } from '../../flush/tiers.ts'
import { assembleAccounts, type PostedReceipt, type WorkingAccount, type WorkingSet } from '../../flush/working-set.ts'
import { rulesOf } from '../../programme-message.ts'
import { ledgerHandlers } from '../../rpc/handlers.ts'
import { pointsHandlers } from '../../rpc/points/handlers.ts'
import { type BudgetRow, budgetText } from '../../store/coupons/budget.ts'
import type { CouponUseRow, StoredCoupon } from '../../store/coupons/coupons.ts'
import { type AccountKey, accountText, brandIdText, pointsOf } from '../../store/keys.ts'
import { Months } from '../../store/months.ts'
import { Programmes } from '../../store/programmes.ts'
import type { StoredSale } from '../../store/receipts.ts'
import { campaignMessage, type ModelCampaign, type ModelRules, programmeMessage, START_MS } from './model-rules.ts'
import type { ToldLedger } from './player.ts'

const BRAND = 'demo'
const brand: BrandInfo = {
  brand: BRAND,
  name: 'Demo',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  passTypeId: '',
  teamId: '',
  googleIssuerId: '',
  weight: 1,
  maxBulkPerSecond: 0,
  contact: '',
  pushType: 'background',
  pushPriority: 5,
  pushExpirationSeconds: 0,
  domain: '',
}
const brands = { get: () => brand }

/** Members of a history in memory. */
export const MEMBER_IDS = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b'] as const

interface Stored {
  account: Account
  readonly lots: Map<string, Lot>
  readonly holds: Map<string, Hold>
  readonly books: Map<LedgerAccount, bigint>
}

/** All of the ledger but its database: checks, flushes of one item each, decisions, answers. */
export class MemoryLedger implements ToldLedger {
  readonly clock: TestClock = testClock(new Date(START_MS))
  readonly handlers: ToldLedger['handlers']
  readonly points: ToldLedger['points']
  readonly call: CallContext = {
    caller: { keyId: 'till', role: 'till', brands: [BRAND] },
    signal: new AbortController().signal,
    deadline: new Date('2100-01-01'),
  }
  readonly codes: readonly string[]
  readonly #programme: Programme
  readonly #accounts = new Map<string, Stored>()
  readonly #sales = new Map<string, StoredSale>()
  readonly #coupons = new Map<string, StoredCoupon>()
  readonly #campaigns = new Map<string, CouponCampaign>()
  readonly #budgets = new Map<string, BudgetRow>()
  #uses: readonly CouponUseRow[] = []
  readonly #kept: Pick<WorkingSet, 'answers' | 'naturals' | 'eventGrants' | 'adjustments' | 'tiers' | 'misses'>
  #ids = 0

  constructor(rules: ModelRules, campaigns: readonly ModelCampaign[], codesEach: number) {
    this.#programme = { version: 1, effectiveAtMs: Number.NEGATIVE_INFINITY, ...rulesOf(programmeMessage(rules)) }
    this.codes = campaigns.flatMap((campaign, at) => this.#issue(`c${at}`, campaign, codesEach))
    const members = MEMBER_IDS.map((memberId) => ({ brand: BRAND, memberId }))
    for (const member of members) {
      const stored = { account: emptyAccount, lots: new Map(), holds: new Map(), books: new Map() }
      this.#accounts.set(accountText(pointsOf(member)), stored)
    }
    this.#kept = {
      answers: new Map(),
      naturals: new Map(),
      eventGrants: new Map(),
      adjustments: new Map(),
      tiers: rules.tiers === undefined ? new Map() : assembleTiers(members, [], []),
      misses: new MissLimiter(),
    }
    const committer = new Committer({
      flush: async (items) => items.map((item) => this.#flush(item)),
      nowMs: () => this.clock.nowMs(),
      onFlushed: () => undefined,
    })
    const { clock } = this
    const programmes = new Programmes()
    const months = new Months()
    const context = {
      database: this.#database(),
      brands,
      clock,
      programmes,
      months,
      misses: new MissLimiter(),
      committer,
    }
    this.handlers = ledgerHandlers(context)
    this.points = pointsHandlers(context)
  }

  /** A member's account as stored, apart from what time has done since. */
  account(memberId: string): Account {
    const { account, lots, holds } = this.#stored(pointsOf({ brand: BRAND, memberId }))
    return { ...account, lots, holds }
  }

  /** What the programme's accounts have had of a member. */
  books(memberId: string): ReadonlyMap<LedgerAccount, bigint> {
    return this.#stored(pointsOf({ brand: BRAND, memberId })).books
  }

  /** A member's balance now. */
  balance(memberId: string): Balance {
    return toBalance(viewAt(this.account(memberId), this.clock.nowMs()))
  }

  /** Codes and tiers as the model tells them. */
  standing() {
    const codes = [...this.#coupons.values()].map((coupon) => {
      const campaign = found(this.#campaigns.get(brandIdText(BRAND, coupon.campaignId)))
      return [coupon.uses, endOf(coupon, campaign)] as const
    })
    const { ladder } = this.#programme
    const tiers = [...this.#kept.tiers.values()]
    return { codes, ranks: tiers.map(({ state }) => (ladder === undefined ? -1 : rankOf(ladder, state?.tierId))) }
  }

  /** All that coupons and tiers have; of a tier neither when it is looked at next nor how often it was. */
  details(): unknown {
    const coupons = [...this.#coupons.values()].map(({ code, uses, state, graceUntilMs }) => [
      code,
      uses,
      state,
      graceUntilMs,
    ])
    const tiers = [...this.#kept.tiers.values()].map(({ state, days }) => [state?.tierId, days])
    return [coupons, tiers, [...this.#budgets.values()]]
  }

  /** Posts what time has done, and closes what has ended of tiers. */
  sweep(): void {
    for (const memberId of MEMBER_IDS) {
      const key = pointsOf({ brand: BRAND, memberId })
      const set = this.#load([key], undefined)
      for (const working of set.accounts.values()) applySettle(set, working)
      const tier = set.tiers.get(brandIdText(BRAND, memberId))
      if (tier?.state !== undefined && tier.state.evaluateAtMs <= set.nowMs) settleTier(set, tier, brand)
      this.#store(set)
    }
  }

  #flush(item: Item): ItemResult {
    const set = this.#load(accountsOf(item, new Map()), item)
    const result = applyItem(set, item)
    this.#store(set)
    return result
  }

  /** What a flush would read, and no more: lots and holds that are live or named. */
  #load(keys: readonly AccountKey[], item: Item | undefined): WorkingSet {
    const nowMs = this.clock.nowMs()
    const request = item?.request
    const sale = request?.kind === 'return' ? this.#sales.get(brandIdText(BRAND, request.saleId)) : undefined
    const named = new Set(sale === undefined ? [] : [sale.record.lotId, ...lotsOf(sale)])
    const holdNamed = request !== undefined && 'holdId' in request ? request.holdId : ''
    const stored = keys.map((key) => ({ key, ...this.#stored(key) }))
    const lots = stored.flatMap(({ key, lots: all }) =>
      [...all.values()]
        .filter((lot) => lot.available + lot.pending + lot.held > 0n || named.has(lot.lotId))
        .map((lot) => ({ key, lot })),
    )
    const holds = stored.flatMap(({ key, holds: all }) =>
      [...all.values()]
        .filter((hold) => hold.state === 'open' || hold.holdId === holdNamed)
        .map((hold) => ({ key, hold })),
    )
    const rows = stored.map(({ key, account }) => ({ ...key, totals: account, known: true }))
    if (request?.kind === 'sale') this.#prepareBudgets(request.couponCodes, request.storeId, nowMs)
    return {
      nowMs,
      newId: (atMs) => this.#newId(atMs),
      brands,
      programmes: new Map([[BRAND, [this.#programme]]]),
      accounts: assembleAccounts(keys, rows, lots, holds),
      sales: new Map(sale === undefined ? [] : [[brandIdText(BRAND, sale.record.receiptId), sale]]),
      changedSales: new Set(),
      newAnswers: [],
      benefits: new Map(),
      coupons: {
        coupons: new Map(this.#coupons),
        campaigns: this.#campaigns,
        budgets: new Map(this.#budgets),
        memberUses: this.#memberUses(),
        usesOf: Map.groupBy(this.#receiptUses(), ({ receiptId }) => brandIdText(BRAND, receiptId)),
        changed: new Set(),
        changedBudgets: new Set(),
        newUses: [],
        undone: [],
      },
      changedGrants: new Set(),
      changedAdjustments: new Set(),
      receipts: [],
      ...notInHistories(),
      ...this.#kept,
    }
  }

  #store(set: WorkingSet): void {
    for (const working of set.accounts.values()) this.#keep(working)
    for (const posted of set.receipts) this.#keepSale(posted)
    for (const text of set.changedSales) {
      const sale = set.sales.get(text)
      if (sale !== undefined) this.#sales.set(text, sale)
    }
    for (const [text, coupon] of set.coupons.coupons) this.#coupons.set(text, coupon)
    for (const [text, budget] of set.coupons.budgets) this.#budgets.set(text, budget)
    const { newUses, undone } = set.coupons
    const isUndone = (use: CouponUseRow) =>
      undone.some(({ couponId, reference }) => couponId === use.couponId && reference === use.reference)
    this.#uses = [...this.#uses.filter((use) => !isUndone(use)), ...newUses]
  }

  #keep({ key, account, postings, touchedLots, touchedHolds }: WorkingAccount): void {
    const stored = this.#stored(key)
    for (const posting of postings) post(stored, posting)
    for (const lotId of touchedLots) stored.lots.set(lotId, found(account.lots.get(lotId)))
    for (const holdId of touchedHolds) stored.holds.set(holdId, found(account.holds.get(holdId)))
    assert.equal(account.version, stored.account.version + BigInt(postings.length), 'versions have no gap')
    stored.account = account
  }

  #keepSale({ receipt, event }: PostedReceipt): void {
    const { natural, receiptId, memberId, programmeVersion, pointValueMinor, lotId, spendDraws } = receipt
    assert(receipt.earned >= 0n && receipt.spent >= 0n, 'the database refuses less than nothing')
    if (natural.kind !== 'sale') return
    const lines = receipt.lines
    const record = { receiptId, lines, pointValueMinor, lotId, spendDraws, reverseDraws: [] }
    const taken = { reverseDebt: 0n, reversePending: 0n }
    const place = { storeId: event.storeId, tillId: event.tillId }
    const sale = { brand: BRAND, memberId, ...place, programmeVersion, record: { ...record, ...taken } }
    this.#sales.set(brandIdText(BRAND, receiptId), sale)
  }

  #issue(campaignId: string, campaign: ModelCampaign, count: number): readonly string[] {
    const own = campaignOf(campaignMessage(campaignId, campaign))
    this.#campaigns.set(brandIdText(BRAND, campaignId), own)
    const { validDays } = own
    const validUntilMs = validDays === 0 ? Number.POSITIVE_INFINITY : endOfLife(START_MS, validDays, brand.timeZone)
    return Array.from({ length: count }, (_, at) => {
      const code = normalizeCode(`code-${campaignId}-${at}`)
      const memberId = campaign.owner === undefined ? undefined : MEMBER_IDS[campaign.owner]
      const state = memberId === undefined ? 'generated' : 'assigned'
      const identity = {
        brand: BRAND,
        code,
        couponId: this.#newId(),
        campaignId,
        memberId,
        state,
        version: 1n,
      } as const
      const lock = { lockedBy: '', lockedUntilMs: 0, lockedMoneyMinor: 0n, lockedScope: '' }
      this.#coupons.set(brandIdText(BRAND, code), { ...identity, uses: 0n, validUntilMs, graceUntilMs: 0, ...lock })
      return code
    })
  }

  #prepareBudgets(codes: readonly string[], storeId: string, nowMs: number): void {
    for (const code of codes) {
      const { campaignId } = found(this.#coupons.get(brandIdText(BRAND, code)))
      for (const scope of ['', `${storeId}/${localDay(nowMs, brand.timeZone)}`]) {
        const row = { brand: BRAND, campaignId, scope, uses: 0n, moneyMinor: 0n }
        if (!this.#budgets.has(budgetText(row))) this.#budgets.set(budgetText(row), row)
      }
    }
  }

  #memberUses(): Map<string, bigint> {
    const uses = new Map<string, bigint>()
    for (const { memberId, campaignId } of this.#uses) {
      const text = `${BRAND}/${memberId}/${campaignId}`
      uses.set(text, (uses.get(text) ?? 0n) + 1n)
    }
    return uses
  }

  #receiptUses() {
    const codes = new Map([...this.#coupons.values()].map(({ couponId, code }) => [couponId, code]))
    return this.#uses.map(({ couponId, reference: receiptId, memberId = '', moneyMinor, scope }) => {
      return { brand: BRAND, code: found(codes.get(couponId)), receiptId, memberId, moneyMinor, scope }
    })
  }

  #stored(key: AccountKey): Stored {
    return found(this.#accounts.get(accountText(key)))
  }

  /** What handlers ask of the database here: whose a hold or a correction by hand is. */
  #database(): Database {
    return {
      url: '',
      schema: '',
      query: async <R extends object>(statement: unknown) => {
        const { name, values } = statement as { readonly name: string; readonly values: readonly unknown[] }
        return this.#rows(name, String(values[1])) as unknown as readonly R[]
      },
      transaction: () => assert.fail('there is no database'),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  #rows(statement: string, id: string): readonly object[] {
    switch (statement) {
      case 'ledger-read-hold-member':
        return MEMBER_IDS.filter((memberId) => this.account(memberId).holds.has(id)).map((member_id) => ({ member_id }))
      case 'ledger-read-adjustments': {
        const { adjustmentId, memberId } = found(
          this.#kept.adjustments.get(brandIdText(BRAND, id.replace(/[{}]/g, ''))),
        )
        return [{ adjustment_id: adjustmentId, member_id: memberId, proposed_at: new Date(0), resolved_at: null }]
      }
      default:
        return assert.fail(`nobody answers ${statement}`)
    }
  }

  #newId(atMs = 1_700_000_000_000 + this.#ids): string {
    this.#ids += 1
    const hex = atMs.toString(16).padStart(12, '0')
    return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`
  }
}

/** Books a posting: its entries sum to zero, and its allocations to its entries. */
function post({ books }: Stored, { entries, allocations, kind }: Posting): void {
  let sum = 0n
  const moved = { available: 0n, pending: 0n, held: 0n }
  for (const { account, amount } of entries) {
    assert.notEqual(amount, 0n)
    sum += amount
    books.set(account, (books.get(account) ?? 0n) + amount)
    if (account === 'available' || account === 'pending' || account === 'held') moved[account] -= amount
  }
  for (const { available, pending, held } of allocations) {
    moved.available += available
    moved.pending += pending
    moved.held += held
  }
  assert.deepEqual([sum, moved], [0n, { available: 0n, pending: 0n, held: 0n }], kind)
}

/** Parts of a flush that histories have no steps for. */
function notInHistories() {
  return {
    rewards: {
      rewards: new Map(),
      stocks: new Map(),
      orders: new Map(),
      owned: new Map(),
      lots: [],
      changedStocks: new Set<string>(),
      changedOrders: new Set<string>(),
      codes: [],
    },
    giftCards: {
      cards: new Map(),
      ids: new Map(),
      payments: new Map(),
      changed: new Set<string>(),
      changedPayments: new Set<string>(),
      postings: [],
    },
    prices: { prices: new Map(), uses: new Map(), newUses: [] },
    mintedCoupons: [],
    stamps: new Map(),
    changedStamps: new Set<string>(),
    offlineDays: new Map(),
    changedOfflineDays: new Set<string>(),
    donations: [],
    moneyPostings: [],
  }
}

function lotsOf({ record }: StoredSale): readonly string[] {
  return [...record.spendDraws, ...record.reverseDraws].map(({ lotId }) => lotId)
}

function found<T>(value: T | undefined): T {
  assert(value !== undefined)
  return value
}
