import type { RelevanceState, Sealed } from '@stampede/proto/events/v1'

/** Where the state of a pass comes from: a member of enrollment, a chain's own CRM, or nobody in particular. */
export type PassKind = 'member' | 'card' | 'coupon'

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

/** Whose card it is. */
export interface MemberView {
  /** The member's id; for a pass without a member an id of our own. */
  readonly memberId: string
  readonly cardNumber: string
  readonly status: MemberStatus
  /** BCP-47; empty when nobody said, then the template's. */
  readonly locale: string
  readonly marketingConsent: boolean
  readonly sealedName: Sealed | undefined
}

/** How far a card's life is: only an open one has a barcode, the others are shown as void. */
export const lifecycles = ['open', 'used', 'expired', 'replaced', 'blocked'] as const
export type Lifecycle = (typeof lifecycles)[number]

/** What a card carries beside the member and the account. */
export interface DetailsView {
  readonly tier: string
  readonly segment: string
  readonly channel: string
  /** By name, as the template's values say. */
  readonly values: ReadonlyMap<string, string>
  readonly lifecycle: Lifecycle
  readonly validUntil: Date | undefined
}

/** All that a card shows, apart from its design and a message. */
export interface CardState {
  readonly kind: PassKind
  readonly member: MemberView
  readonly account: AccountView
  readonly relevance: Pick<RelevanceState, 'places' | 'beacons'>
  readonly details: DetailsView
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

/** A card of which nobody said anything. */
export const emptyDetails: DetailsView = {
  tier: '',
  segment: '',
  channel: '',
  values: new Map(),
  lifecycle: 'open',
  validUntil: undefined,
}

/** Whether the card can be used: neither its member nor its own life forbids it. Expiry by time is the phone's to see. */
export function isOpen({ member, details }: Pick<CardState, 'member' | 'details'>): boolean {
  return member.status === 'active' && details.lifecycle === 'open'
}

/** Template of a pass whose maker names none. */
export const DEFAULT_TEMPLATE_ID = 'card'
