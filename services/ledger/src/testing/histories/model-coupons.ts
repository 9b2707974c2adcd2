import { dayOf, startOf } from './model-days.ts'
import { add, couponParts, type ModelLine } from './model-prices.ts'
import type { ModelCampaign } from './model-rules.ts'

const GRACE_DAYS = 14

interface ModelCode {
  readonly campaign: number
  /** Without the grace. */
  readonly endsAt: number
  uses: bigint
  graceUntil: number
}

/** A use of a code, once its receipt is posted. */
interface Use {
  readonly code: ModelCode
  readonly who: number
  readonly storeDay: string
  readonly money: bigint
}

/** What coupons take off a basket, and the uses that it would be. */
export interface Discounted {
  readonly lines: readonly ModelLine[]
  readonly discount: bigint
  readonly uses: readonly Use[]
}

/** Campaigns and their codes: what was used is a list, and whatever is asked is counted in it. */
export class ModelCoupons {
  readonly #campaigns: readonly ModelCampaign[]
  readonly #codes: readonly ModelCode[]
  #uses: Use[] = []

  constructor(campaigns: readonly ModelCampaign[], codesEach: number, issuedAt: number) {
    this.#campaigns = campaigns
    this.#codes = campaigns.flatMap(({ validDays, untilMs = Number.POSITIVE_INFINITY }, campaign) => {
      const own = validDays === 0 ? Number.POSITIVE_INFINITY : startOf(dayOf(issuedAt) + validDays + 1)
      return Array.from({ length: codesEach }, () => ({
        campaign,
        endsAt: Math.min(own, untilMs),
        uses: 0n,
        graceUntil: 0,
      }))
    })
  }

  /** Shows codes with a basket; answers why one of them cannot be used. */
  show(
    who: number,
    codes: readonly number[],
    storeId: string,
    lines: readonly ModelLine[],
    now: number,
  ): Discounted | string {
    const shown = codes.map((at) => this.#codes[at]).filter((code) => code !== undefined)
    const before = this.#uses
    for (const [index, code] of shown.entries()) {
      const campaign = this.#campaign(code)
      const earlier = shown.slice(0, index).filter((one) => one.campaign === code.campaign).length
      if (campaign.owner !== undefined && campaign.owner !== who) return 'COUPON_INVALID'
      if (code.uses >= campaign.usesPerCode) return 'COUPON_USED'
      if (now >= Math.max(code.endsAt, code.graceUntil)) return 'FAILED_PRECONDITION'
      const byMember = before.filter((use) => use.code.campaign === code.campaign && use.who === who).length + earlier
      if (campaign.usesPerMember !== undefined && byMember >= Number(campaign.usesPerMember)) return 'COUPON_USED'
    }
    const uses: Use[] = []
    let left = lines
    for (const code of shown) {
      const campaign = this.#campaign(code)
      const parts = couponParts(campaign, left)
      const money = add(parts)
      if (money === 0n) return 'FAILED_PRECONDITION'
      uses.push({ code, who, storeDay: `${storeId} ${dayOf(now)}`, money })
      if (this.#isOverdrawn(code.campaign, [...before, ...uses])) return 'COUPON_BUDGET_SPENT'
      left = left.map((line, at) => ({ ...line, amountMinor: line.amountMinor - (parts[at] ?? 0n) }))
    }
    return { lines: left, discount: add(uses.map(({ money }) => money)), uses }
  }

  /** Of each code: how often it was used, and its end. */
  states(): readonly (readonly [uses: bigint, endsAt: number])[] {
    return this.#codes.map(({ uses, endsAt, graceUntil }) => [uses, Math.max(endsAt, graceUntil)])
  }

  /** The receipt is posted. */
  use(uses: readonly Use[]): void {
    for (const { code } of uses) code.uses += 1n
    this.#uses = [...this.#uses, ...uses]
  }

  /** The receipt has come back as a whole. */
  giveBack(uses: readonly Use[], now: number): void {
    for (const { code } of uses) {
      code.uses -= 1n
      code.graceUntil = Math.max(code.graceUntil, startOf(dayOf(now) + GRACE_DAYS + 1))
    }
    this.#uses = this.#uses.filter((use) => !uses.includes(use))
  }

  #campaign(code: ModelCode): ModelCampaign {
    const campaign = this.#campaigns[code.campaign]
    if (campaign === undefined) throw new Error('a code has a campaign')
    return campaign
  }

  #isOverdrawn(campaign: number, uses: readonly Use[]): boolean {
    const own = uses.filter(({ code }) => code.campaign === campaign)
    const { budgetUses, budgetMoney, storeDayUses } = this.#campaigns[campaign] ?? {}
    const last = own.at(-1)
    const sameDay = own.filter(({ storeDay }) => storeDay === last?.storeDay).length
    if (budgetUses !== undefined && own.length > Number(budgetUses)) return true
    if (budgetMoney !== undefined && add(own.map(({ money }) => money)) > budgetMoney) return true
    return storeDayUses !== undefined && sameDay > Number(storeDayUses)
  }
}

/** Uses of a basket. */
export type Uses = Discounted['uses']
