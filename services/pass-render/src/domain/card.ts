import type { RelevanceState, Sealed } from '@stampede/proto/events/v1'

/** What the ledger last said about a member's account. */
export interface AccountView {
  /** Spendable points. */
  readonly available: bigint
  readonly nextExpiryAt: Date | undefined
  readonly nextExpiryPoints: bigint
  /** ISO 4217; empty before the first posting. */
  readonly currency: string
}

/** Whether a card works: blocked and erased ones are shown as void. */
export type MemberStatus = 'active' | 'blocked' | 'erased'

/** What enrollment last said about a member. */
export interface MemberView {
  readonly memberId: string
  readonly cardNumber: string
  readonly status: MemberStatus
  /** BCP-47. */
  readonly locale: string
  readonly marketingConsent: boolean
  readonly sealedName: Sealed | undefined
}

/** All that a card shows, apart from its design and a campaign's message. */
export interface CardState {
  readonly member: MemberView
  readonly account: AccountView
  readonly relevance: Pick<RelevanceState, 'places' | 'beacons'>
}

/** What a card shows of its brand; a change of any part is a new design version. */
export interface BrandView {
  readonly brand: string
  readonly name: string
  readonly contact: string
  readonly currency: string
  readonly timeZone: string
  readonly passTypeId: string
  readonly teamId: string
  readonly googleIssuerId: string
}

/** An account before the ledger's first event. */
export const emptyAccount: AccountView = {
  available: 0n,
  nextExpiryAt: undefined,
  nextExpiryPoints: 0n,
  currency: '',
}
