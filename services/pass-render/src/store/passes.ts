import { passesPerRow, type Sql } from '@stampede/platform'
import type { CardState } from '../domain/card.ts'
import type { EffectiveVersion } from '../domain/version-tag.ts'
import { type AccountRow, accountOf, type MemberRow, memberOf, relevanceOf } from './rows.ts'

/** A pass with all that it shows now. */
export interface PassRecord extends EffectiveVersion {
  readonly brand: string
  readonly no: bigint
  readonly serial: string
  readonly authToken: Buffer
  readonly createdAt: Date
  /** When the shown version was made. */
  readonly changedAt: Date
  readonly devices: number
  readonly templateVersion: number
  /** Grows with every event of any source that was applied to the card. */
  readonly sourcesVersion: bigint
  readonly state: CardState
  /** The newest campaign that holds the pass; its id is empty when none does. */
  readonly campaignId: string
  /** stampede.events.v1.CampaignMessage of that campaign. */
  readonly message: Buffer | undefined
}

interface PassRow extends MemberRow, AccountRow {
  readonly brand: string
  readonly no: bigint
  readonly serial: string
  readonly auth_token: Buffer
  readonly version: bigint
  readonly created_at: Date
  readonly changed_at: Date
  readonly devices: number
  readonly template_version: number
  readonly sources_version: bigint
  readonly design_version: bigint
  readonly design_changed_at: Date
  readonly relevance: Buffer | null
  readonly campaign_id: string | null
  readonly campaign_seq: bigint | null
  readonly bump_at: Date | null
  readonly message: Buffer | null
}

/** Bits of a bitmap are numbered as PostgreSQL numbers them: least significant first. */
export const newestBump = `SELECT u.campaign_id, u.campaign_seq, u.created_at FROM bump u
  WHERE u.brand = p.brand AND u.base = p.no - p.no % ${passesPerRow} AND get_bit(u.bitmap, p.no % ${passesPerRow}) = 1
  ORDER BY u.campaign_seq DESC LIMIT 1`

const selectPass = `SELECT p.brand, p.member_id, p.no, p.serial, p.auth_token, p.version, p.created_at, p.changed_at,
    p.status, p.marketing_consent, p.locale, p.card_number, p.sealed_name, p.devices,
    p.member_version + coalesce(a.version, 0) + coalesce(r.version, 0) AS sources_version, b.template_version, b.design_version, b.design_changed_at,
    a.available, a.next_expiry_at, a.next_expiry_points, a.currency, r.state AS relevance,
    n.campaign_id, n.campaign_seq, n.created_at AS bump_at, c.message
  FROM pass p
  JOIN brand_state b ON b.brand = p.brand
  LEFT JOIN account_state a ON a.brand = p.brand AND a.member_id = p.member_id
  LEFT JOIN relevance_state r ON r.brand = p.brand AND r.member_id = p.member_id
  LEFT JOIN LATERAL (${newestBump}) n ON true
  LEFT JOIN campaign c ON c.brand = p.brand AND c.campaign_id = n.campaign_id`

/** A pass by its serial. */
export async function findPassBySerial(sql: Sql, brand: string, serial: string): Promise<PassRecord | undefined> {
  const text = `${selectPass} WHERE p.brand = $1 AND p.serial = $2`
  const rows = await sql.query<PassRow>({ name: 'pass-by-serial', text, values: [brand, serial] })
  return rows[0] === undefined ? undefined : passRecord(rows[0])
}

/** A pass by its member. */
export async function findPassByMember(sql: Sql, brand: string, memberId: string): Promise<PassRecord | undefined> {
  const text = `${selectPass} WHERE p.brand = $1 AND p.member_id = $2`
  const rows = await sql.query<PassRow>({ name: 'pass-by-member', text, values: [brand, memberId] })
  return rows[0] === undefined ? undefined : passRecord(rows[0])
}

/** Passes from a number on, in the order of their numbers. */
export async function listPasses(sql: Sql, brand: string, from: bigint, limit: number): Promise<readonly PassRecord[]> {
  const text = `${selectPass} WHERE p.brand = $1 AND p.no >= $2 ORDER BY p.no LIMIT $3`
  const rows = await sql.query<PassRow>({ name: 'pass-list', text, values: [brand, from, limit] })
  return rows.map(passRecord)
}

function passRecord(row: PassRow): PassRecord {
  const times = [row.changed_at, row.design_changed_at, ...(row.bump_at === null ? [] : [row.bump_at])]
  return {
    brand: row.brand,
    no: row.no,
    serial: row.serial,
    authToken: row.auth_token,
    createdAt: row.created_at,
    changedAt: new Date(Math.max(...times.map((time) => time.getTime()))),
    devices: row.devices,
    templateVersion: row.template_version,
    sourcesVersion: row.sources_version,
    version: row.version,
    designVersion: row.design_version,
    campaignSeq: row.campaign_seq ?? 0n,
    campaignId: row.campaign_id ?? '',
    message: row.message ?? undefined,
    state: { member: memberOf(row), account: accountOf(row), relevance: relevanceOf(row.relevance) },
  }
}
