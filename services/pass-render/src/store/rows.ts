import { RelevanceState, Sealed } from '@stampede/proto/events/v1'
import { CardDetails } from '@stampede/proto/passes/v1'
import {
  type AccountView,
  type CardState,
  type DetailsView,
  emptyAccount,
  emptyDetails,
  lifecycles,
  type MemberStatus,
  type MemberView,
  type PassKind,
} from '../domain/card.ts'

/** Columns of account_state that a card shows. */
export interface AccountRow {
  readonly available: bigint | null
  readonly next_expiry_at: Date | null
  readonly next_expiry_points: bigint | null
  readonly currency: string | null
}

/** Columns of pass that tell about the member. */
export interface MemberRow {
  readonly kind: PassKind
  readonly owner_id: string
  readonly status: string
  readonly marketing_consent: boolean
  readonly locale: string
  readonly card_number: string
  readonly sealed_name: Buffer | null
  readonly details: Buffer | null
}

/** Account as a card shows it. */
export function accountOf(row: AccountRow | undefined): AccountView {
  if (row === undefined || row.available === null) return emptyAccount
  return {
    available: row.available,
    nextExpiryAt: row.next_expiry_at ?? undefined,
    nextExpiryPoints: row.next_expiry_points ?? 0n,
    currency: row.currency ?? '',
  }
}

/** Member as a card shows it. */
export function memberOf(row: MemberRow): MemberView {
  return {
    memberId: row.owner_id,
    cardNumber: row.card_number,
    status: statusOf(row.status),
    locale: row.locale,
    marketingConsent: row.marketing_consent,
    sealedName: row.sealed_name === null ? undefined : Sealed.decode(row.sealed_name),
  }
}

/** An unknown status counts as blocked: better a card too few than one too many. */
export function statusOf(status: string): MemberStatus {
  return status === 'active' || status === 'erased' ? status : 'blocked'
}

/** Places and beacons of a stored state. */
export function relevanceOf(state: Buffer | null | undefined): CardState['relevance'] {
  return state === null || state === undefined ? { places: [], beacons: [] } : RelevanceState.decode(state)
}

/** Sealed name as it is stored. */
export function sealedBytes(sealed: Sealed | undefined): Buffer | null {
  return sealed === undefined ? null : Buffer.from(Sealed.encode(sealed).finish())
}

/** Details of a stored card; an unknown lifecycle counts as blocked, as an unknown status does. */
export function detailsOf(bytes: Buffer | null): DetailsView {
  if (bytes === null) return emptyDetails
  const { tier, segment, channel, values, lifecycle, validUntil } = CardDetails.decode(bytes)
  return {
    tier,
    segment,
    channel,
    values: new Map(Object.entries(values)),
    lifecycle: lifecycle === '' ? 'open' : (lifecycles.find((known) => known === lifecycle) ?? 'blocked'),
    validUntil,
  }
}

/** Details as they are stored. */
export function detailsBytes(details: DetailsView): Buffer {
  const { values, ...rest } = details
  return Buffer.from(CardDetails.encode({ ...rest, values: Object.fromEntries(values), points: 0n }).finish())
}

/** All of a row that a card shows. */
export function stateOf(
  row: MemberRow,
  account: AccountRow | undefined,
  relevance: Buffer | null | undefined,
): CardState {
  return {
    kind: row.kind,
    member: memberOf(row),
    account: accountOf(account),
    relevance: relevanceOf(relevance),
    details: detailsOf(row.details),
  }
}
