import { least } from './model-prices.ts'
import type { ModelRules } from './model-rules.ts'

/** A grant of points and what is left of it. */
export interface ModelLot {
  /** Counts up from 1: later lots are larger. */
  readonly no: number
  left: bigint
  pending: bigint
  held: bigint
  readonly earnedAt: number
  activatesAt: number
  endsAt: number
  readonly cause: string
  /** Lot whose points it carries on after its end; 0 for none. */
  readonly instead: number
  readonly repayBasisPoints: bigint
}

/** Points of a lot. */
export interface Taken {
  readonly no: number
  readonly points: bigint
}

/** A hold. */
export interface ModelHold {
  readonly reference: string
  readonly endsAt: number
  readonly taken: readonly Taken[]
  state: 'open' | 'resolved' | 'expired'
}

/** A member: lots and holds. All sums are taken anew whenever they are asked for. */
export class ModelMember {
  lots: ModelLot[] = []
  holds = new Map<string, ModelHold>()
  debt = 0n
  /** What the programme's side of the books has had of this member. */
  books = { issued: 0n, redeemed: 0n, expired: 0n, adjusted: 0n, transferred: 0n }

  copy(): ModelMember {
    const copy = new ModelMember()
    copy.lots = this.lots.map((lot) => ({ ...lot }))
    copy.holds = new Map([...this.holds].map(([id, hold]) => [id, { ...hold }]))
    copy.debt = this.debt
    copy.books = { ...this.books }
    return copy
  }

  sum(of: 'left' | 'pending' | 'held'): bigint {
    let sum = 0n
    for (const lot of this.lots) sum += lot[of]
    return sum
  }

  lot(no: number): ModelLot {
    const lot = this.lots.find((one) => one.no === no)
    if (lot === undefined) throw new Error(`the model has no lot ${no}`)
    return lot
  }

  /** Goes from instant to instant up to now: points become active, holds end, lots end. */
  settle(now: number): void {
    for (;;) {
      let at = Number.POSITIVE_INFINITY
      for (const lot of this.lots) {
        if (lot.pending > 0n) at = Math.min(at, lot.activatesAt)
        if (lot.pending + lot.left > 0n) at = Math.min(at, lot.endsAt)
      }
      for (const hold of this.holds.values()) if (hold.state === 'open') at = Math.min(at, hold.endsAt)
      if (at > now) return
      this.happen(at)
    }
  }

  private happen(at: number): void {
    for (const lot of this.lots) if (lot.pending > 0n && lot.activatesAt <= at && lot.endsAt >= at) this.activate(lot)
    for (const hold of this.holds.values())
      if (hold.state === 'open' && hold.endsAt <= at) this.release(hold, 'expired')
    this.end(at)
  }

  /** Lots whose time is over lose what is not held. */
  end(now: number): void {
    for (const lot of this.lots) {
      if (lot.endsAt > now) continue
      this.books.expired += lot.left
      this.books.issued -= lot.pending
      lot.left = 0n
      lot.pending = 0n
    }
  }

  activate(lot: ModelLot): void {
    const points = lot.pending
    lot.left += points
    lot.pending = 0n
    this.repay(lot, points)
  }

  release(hold: ModelHold, state: ModelHold['state']): void {
    for (const { no, points } of hold.taken) {
      this.lot(no).held -= points
      this.lot(no).left += points
    }
    hold.state = state
  }

  /** Adds a lot; what the member owes is paid out of points that are spendable at once. */
  grant(
    rules: ModelRules,
    lot: Omit<ModelLot, 'left' | 'pending' | 'held' | 'repayBasisPoints' | 'instead'>,
    points: bigint,
    now: number,
  ): void {
    const made = { ...lot, left: 0n, pending: points, held: 0n, instead: 0, repayBasisPoints: rules.repayBasisPoints }
    this.lots.push(made)
    if (lot.activatesAt <= now) this.activate(made)
    this.end(now)
  }

  /** First to end first, then first earned, then first made. */
  take(points: bigint, from: (lot: ModelLot) => boolean = () => true): Taken[] {
    const order = this.lots
      .filter((lot) => lot.left > 0n && from(lot))
      .sort(
        (one, other) =>
          (one.endsAt === other.endsAt ? 0 : one.endsAt - other.endsAt) ||
          one.earnedAt - other.earnedAt ||
          one.no - other.no,
      )
    const taken: Taken[] = []
    let open = points
    for (const lot of order) {
      const some = least(lot.left, open)
      if (some > 0n) taken.push({ no: lot.no, points: some })
      lot.left -= some
      open -= some
    }
    return taken
  }

  repay(lot: ModelLot, points: bigint): void {
    const repaid = least((points * lot.repayBasisPoints) / 10_000n, this.debt)
    lot.left -= repaid
    this.debt -= repaid
  }
}

/** The sum of what was taken. */
export function sumOf(taken: readonly Taken[]): bigint {
  let sum = 0n
  for (const { points } of taken) sum += points
  return sum
}
