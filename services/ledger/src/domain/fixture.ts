import assert from 'node:assert/strict'
import { type Account, emptyAccount } from './account.ts'
import { type Command, type Decision, decide } from './decide.ts'
import { undiscounted } from './discounts/basket.ts'
import { noRules, type Programme, type SaleLine } from './programme.ts'
import type { Refusal } from './refusal.ts'
import type { SaleCommand } from './sale.ts'

/** Milliseconds of a day, for tests. */
export const DAY_MS = 86_400_000

/** 100 % of a receipt may be paid; 5 % back; a point is a minor unit. */
export const testProgramme: Programme = {
  version: 1,
  effectiveAtMs: Number.NEGATIVE_INFINITY,
  earnBasisPoints: 500n,
  life: { term: { kind: 'days', days: 365 }, roundUpTo: undefined, isSliding: false },
  maxPayBasisPoints: 10_000n,
  pointValueMinor: 1n,
  holdSeconds: 900,
  ...noRules,
}

/** The term of points that are spendable at once. */
export function spendableUntil(expiresAtMs: number): Pick<SaleCommand, 'earnedTerm' | 'slidesToMs' | 'tierHundredths'> {
  return { earnedTerm: { activatesAtMs: 0, expiresAtMs }, slidesToMs: undefined, tierHundredths: 100n }
}

/** Ids that count up, so that runs repeat. */
export function countingIds(prefix: string): () => string {
  let next = 0
  return () => {
    next += 1
    return `${prefix}-${String(next).padStart(8, '0')}`
  }
}

/** A line of one piece. */
export function saleLine(amountMinor: bigint, quantity = 1n): SaleLine {
  return { sku: 'sku', quantity, amountMinor, category: '' }
}

/** An account with a clock, for tests that tell a story. */
export class Story {
  account: Account = emptyAccount
  nowMs = 0
  readonly newId: () => string

  constructor(prefix = 'id') {
    this.newId = countingIds(prefix)
  }

  /** Does a command that must not be refused. */
  do(command: Command): Decision {
    const decision = this.try(command)
    assert(decision.ok, `refused: ${JSON.stringify(decision, (_, value) => String(value))}`)
    this.account = decision.account
    return decision
  }

  /** Decides without taking the result over. */
  try(command: Command): Decision | Refusal {
    return decide(this.account, command, { nowMs: this.nowMs, newId: this.newId })
  }

  /** Grants a lot by a sale. */
  grant(points: bigint, expiresAtMs: number): string {
    const decision = this.do({
      kind: 'sale',
      receiptId: this.newId(),
      storeId: 'store',
      occurredAtMs: this.nowMs,
      basket: undiscounted([saleLine(points)]),
      programme: { ...testProgramme, earnBasisPoints: 10_000n },
      holdId: '',
      pointsToPay: 0n,
      ...spendableUntil(expiresAtMs),
    })
    assert(decision.outcome.kind === 'sale' && decision.outcome.sale.lotId !== null)
    return decision.outcome.sale.lotId
  }

  /** Holds points for a day. */
  hold(points: bigint, reference = this.newId()): string {
    const holdId = this.newId()
    this.do({ kind: 'hold', holdId, points, reference, expiresAtMs: this.nowMs + DAY_MS })
    return holdId
  }

  /** Spends points outside of a receipt. */
  spend(points: bigint): void {
    this.do({ kind: 'commit', holdId: this.hold(points), points })
  }

  /** Spendable points of a lot. */
  left(lotId: string): bigint | undefined {
    return this.account.lots.get(lotId)?.available
  }
}
