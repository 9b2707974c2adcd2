import type { Sql } from '@stampede/platform'
import { RelevanceState } from '@stampede/proto/events/v1'
import type { AccountView, CardState, DetailsView, MemberView, PassKind } from '../domain/card.ts'
import {
  type AccountRow,
  accountOf,
  detailsBytes,
  detailsOf,
  type MemberRow,
  memberOf,
  relevanceOf,
  sealedBytes,
} from './rows.ts'

/** A pass as the projections work on it. */
export interface LockedPass {
  readonly kind: PassKind
  readonly templateId: string
  readonly no: bigint
  readonly serial: string
  readonly version: bigint
  readonly memberVersion: bigint
  readonly eventVersion: bigint
  readonly devices: number
  readonly member: MemberView
  readonly details: DetailsView
  readonly detailsVersion: bigint
  /** stampede.events.v1.CampaignMessage of the card's own; undefined without one. */
  readonly ownMessage: Buffer | undefined
}

/** All that is stored of one member, locked; without a pass when the member's own event has not come yet. */
export interface LockedCard {
  readonly memberId: string
  readonly accountVersion: bigint
  readonly relevanceVersion: bigint
  readonly account: AccountView
  readonly relevance: CardState['relevance']
  readonly pass: LockedPass | undefined
}

interface LockedPassRow extends MemberRow {
  readonly no: bigint
  readonly serial: string
  readonly version: bigint
  readonly member_version: bigint
  readonly event_version: bigint
  readonly devices: number
  readonly template_id: string
  readonly details_version: bigint
  readonly own_message: Buffer | null
}

/**
 * Locks the members' rows, always accounts before passes and in the order of the ids, so that no two batches deadlock.
 * The account's row is made when missing: an account event and the member's own event then wait for each other, and
 * the later one sees what the earlier one did.
 */
export async function lockCards(tx: Sql, brand: string, memberIds: readonly string[]): Promise<readonly LockedCard[]> {
  const ids = [...new Set(memberIds)].sort()
  await tx.query({
    name: 'card-ensure',
    text: 'INSERT INTO account_state (brand, owner_id) SELECT $1, id FROM unnest($2::uuid[]) AS id ORDER BY id ON CONFLICT DO NOTHING',
    values: [brand, ids],
  })
  const accounts = await tx.query<AccountRow & { owner_id: string; version: bigint }>({
    name: 'card-lock-accounts',
    text: `SELECT owner_id, version, available, next_expiry_at, next_expiry_points, currency FROM account_state
     WHERE brand = $1 AND owner_id = ANY($2::uuid[]) ORDER BY owner_id FOR UPDATE`,
    values: [brand, ids],
  })
  const relevances = await tx.query<{ owner_id: string; version: bigint; state: Buffer }>({
    name: 'card-read-relevances',
    text: 'SELECT owner_id, version, state FROM relevance_state WHERE brand = $1 AND owner_id = ANY($2::uuid[])',
    values: [brand, ids],
  })
  const passes = await tx.query<LockedPassRow>({
    name: 'card-lock-passes',
    text: `SELECT owner_id, kind, template_id, no, serial, version, member_version, event_version, devices, status,
       marketing_consent, locale, card_number, sealed_name, details, details_version, own_message FROM pass WHERE brand = $1 AND owner_id = ANY($2::uuid[]) ORDER BY owner_id FOR UPDATE`,
    values: [brand, ids],
  })
  const relevanceById = new Map(relevances.map((row) => [row.owner_id, row]))
  const passById = new Map(passes.map((row) => [row.owner_id, row]))
  return accounts.map((row) => ({
    memberId: row.owner_id,
    accountVersion: row.version,
    relevanceVersion: relevanceById.get(row.owner_id)?.version ?? 0n,
    account: accountOf(row),
    relevance: relevanceOf(relevanceById.get(row.owner_id)?.state),
    pass: lockedPass(passById.get(row.owner_id)),
  }))
}

function lockedPass(row: LockedPassRow | undefined): LockedPass | undefined {
  if (row === undefined) return undefined
  return {
    kind: row.kind,
    templateId: row.template_id,
    no: row.no,
    serial: row.serial,
    version: row.version,
    memberVersion: row.member_version,
    eventVersion: row.event_version,
    devices: row.devices,
    member: memberOf(row),
    details: detailsOf(row.details),
    detailsVersion: row.details_version,
    ownMessage: row.own_message ?? undefined,
  }
}

/** An account's newest state. */
export interface AccountUpdate {
  readonly memberId: string
  readonly version: bigint
  readonly account: AccountView
}

/** Stores accounts of locked members. */
export async function saveAccounts(tx: Sql, brand: string, updates: readonly AccountUpdate[]): Promise<void> {
  await tx.query({
    name: 'card-save-accounts',
    text: `UPDATE account_state AS a SET version = u.version, available = u.available, next_expiry_at = u.next_expiry_at,
       next_expiry_points = u.next_expiry_points, currency = u.currency
     FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::text[])
       AS u (owner_id, version, available, next_expiry_at, next_expiry_points, currency)
     WHERE a.brand = $1 AND a.owner_id = u.owner_id`,
    values: [
      brand,
      updates.map((item) => item.memberId),
      updates.map((item) => item.version),
      updates.map((item) => item.account.available),
      updates.map((item) => item.account.nextExpiryAt ?? null),
      updates.map((item) => item.account.nextExpiryPoints),
      updates.map((item) => item.account.currency),
    ],
  })
}

/** Relevance as it is stored. */
export interface RelevanceUpdate {
  readonly memberId: string
  readonly version: bigint
  readonly state: RelevanceState
}

/** Stores the places of locked members. */
export async function saveRelevance(tx: Sql, brand: string, updates: readonly RelevanceUpdate[]): Promise<void> {
  await tx.query({
    name: 'card-save-relevances',
    text: `INSERT INTO relevance_state (brand, owner_id, version, state)
     SELECT $1, u.owner_id, u.version, u.state FROM unnest($2::uuid[], $3::bigint[], $4::bytea[]) AS u (owner_id, version, state)
     ON CONFLICT (brand, owner_id) DO UPDATE SET version = excluded.version, state = excluded.state`,
    values: [
      brand,
      updates.map((item) => item.memberId),
      updates.map((item) => item.version),
      updates.map((item) => Buffer.from(RelevanceState.encode(item.state).finish())),
    ],
  })
}

/** A pass to be stored. */
export interface NewPass {
  readonly no: bigint
  readonly serial: string
  readonly authToken: Buffer
  readonly kind: PassKind
  readonly templateId: string
  readonly memberVersion: bigint
  readonly member: MemberView
  readonly details: DetailsView
  readonly detailsVersion: bigint
}

/** Stores new passes at version 1; a batch in one statement. */
export async function insertPasses(tx: Sql, brand: string, passes: readonly NewPass[], now: Date): Promise<void> {
  await tx.query({
    name: 'card-insert-passes',
    text: `INSERT INTO pass (brand, owner_id, no, serial, auth_token, member_version, status, marketing_consent, locale,
       card_number, sealed_name, kind, template_id, details, details_version, lifecycle, version, event_version, changed_at, created_at)
     SELECT $1, u.*, 1, 1, $16::timestamptz, $16::timestamptz FROM unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::bytea[], $6::bigint[], $7::text[],
       $8::boolean[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::text[], $14::bytea[], $15::bigint[], $17::text[]) AS u`,
    values: [
      brand,
      passes.map((item) => item.member.memberId),
      passes.map((item) => item.no),
      passes.map((item) => item.serial),
      passes.map((item) => item.authToken),
      passes.map((item) => item.memberVersion),
      passes.map((item) => item.member.status),
      passes.map((item) => item.member.marketingConsent),
      passes.map((item) => item.member.locale),
      passes.map((item) => item.member.cardNumber),
      passes.map((item) => sealedBytes(item.member.sealedName)),
      passes.map((item) => item.kind),
      passes.map((item) => item.templateId),
      passes.map((item) => detailsBytes(item.details)),
      passes.map((item) => item.detailsVersion),
      now,
      passes.map((item) => item.details.lifecycle),
    ],
  })
}

/** What a member's event changes of an existing pass. */
export interface MemberUpdate {
  readonly memberVersion: bigint
  readonly member: MemberView
}

/** Stores members of locked passes. */
export async function saveMembers(tx: Sql, brand: string, updates: readonly MemberUpdate[]): Promise<void> {
  await tx.query({
    name: 'card-save-members',
    text: `UPDATE pass AS p SET member_version = u.member_version, status = u.status, marketing_consent = u.marketing_consent,
       locale = u.locale, card_number = u.card_number, sealed_name = u.sealed_name
     FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::bytea[])
       AS u (owner_id, member_version, status, marketing_consent, locale, card_number, sealed_name)
     WHERE p.brand = $1 AND p.owner_id = u.owner_id`,
    values: [
      brand,
      updates.map((item) => item.member.memberId),
      updates.map((item) => item.memberVersion),
      updates.map((item) => item.member.status),
      updates.map((item) => item.member.marketingConsent),
      updates.map((item) => item.member.locale),
      updates.map((item) => item.member.cardNumber),
      updates.map((item) => sealedBytes(item.member.sealedName)),
    ],
  })
}

/** How much a pass's version grows. */
export interface Raise {
  readonly no: bigint
  readonly by: bigint
  /** When the ledger recorded what is behind it; default: the ledger is not. */
  readonly causedAt?: Date | undefined
}

/** Raises the versions of passes that look different now. */
export async function raisePasses(tx: Sql, brand: string, raises: readonly Raise[], now: Date): Promise<void> {
  await tx.query({
    name: 'card-raise-passes',
    text: `UPDATE pass AS p SET version = version + u.by, changed_at = $4, caused_at = u.caused_at
     FROM unnest($2::bigint[], $3::bigint[], $5::timestamptz[]) AS u (no, by, caused_at) WHERE p.brand = $1 AND p.no = u.no`,
    values: [
      brand,
      raises.map((item) => item.no),
      raises.map((item) => item.by),
      now,
      raises.map((item) => item.causedAt),
    ],
  })
}
