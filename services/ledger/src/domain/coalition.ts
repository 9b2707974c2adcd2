import type { Draw, Lot } from './account.ts'
import { type MoneyEntry, moneyEntry } from './money.ts'
import type { Programme } from './programme.ts'

/** Brands that share one card and balance; each bears the points that its own stores have given. */
export interface Coalition {
  readonly participants: readonly Participant[]
  /** Who takes the fee; empty without one. */
  readonly operator: string
  /** Fee on points that pay at another participant's, borne by whoever gave them; basis points, rounded down per participant. */
  readonly feeBasisPoints: bigint
}

/** A brand of a coalition. */
export interface Participant {
  readonly participantId: string
  readonly stores: ReadonlySet<string>
  /** Undefined: the programme's. */
  readonly earnBasisPoints: bigint | undefined
  /** Undefined: the programme's. */
  readonly maxPayBasisPoints: bigint | undefined
}

const BASIS = 10_000n

/** The participant whose store it is. */
export function participantAt({ participants }: Coalition, storeId: string): Participant | undefined {
  return participants.find(({ stores }) => stores.has(storeId))
}

/** A programme as it is at a store: with the participant's rates, and points that the participant bears. */
export function programmeAtStore(programme: Programme, storeId: string): Programme {
  const participant = programme.coalition && participantAt(programme.coalition, storeId)
  if (participant === undefined) return programme
  return {
    ...programme,
    funder: participant.participantId,
    earnBasisPoints: participant.earnBasisPoints ?? programme.earnBasisPoints,
    maxPayBasisPoints: participant.maxPayBasisPoints ?? programme.maxPayBasisPoints,
  }
}

/** What a receipt's points mean between the participants. */
export interface Settled {
  /** Who gets money for the points that paid. */
  readonly redeemer: string
  /** Points that paid; or, with a minus, that came back. */
  readonly draws: readonly Draw[]
  readonly lots: ReadonlyMap<string, Lot>
  readonly pointValueMinor: bigint
}

/** Entries of points that paid: their issuers owe the redeemer, and the operator its fee; none where nobody else's points paid. */
export function settlementOf(coalition: Coalition, settled: Settled): readonly MoneyEntry[] {
  const owed = owedBy(settled)
  return [...owed].flatMap(([issuer, minor]) => {
    const fee = (minor * coalition.feeBasisPoints) / BASIS
    return [
      moneyEntry('settle', -minor - fee, issuer),
      moneyEntry('settle', minor, settled.redeemer),
      moneyEntry('settle', fee, coalition.operator),
    ]
  })
}

/** Entries of points that came back, in the same way round; the fee stays paid. */
export function settlementBack(settled: Settled): readonly MoneyEntry[] {
  return [...owedBy(settled)].flatMap(([issuer, minor]) => [
    moneyEntry('settle', minor, issuer),
    moneyEntry('settle', -minor, settled.redeemer),
  ])
}

function owedBy({ redeemer, draws, lots, pointValueMinor }: Settled): ReadonlyMap<string, bigint> {
  const owed = new Map<string, bigint>()
  for (const { lotId, points } of draws) {
    const issuer = lots.get(lotId)?.funder ?? redeemer
    if (issuer === redeemer) continue
    owed.set(issuer, (owed.get(issuer) ?? 0n) + points * pointValueMinor)
  }
  return owed
}
