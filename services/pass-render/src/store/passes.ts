import { passesPerRow, type Sql } from '@stampede/platform'
import type { CardState } from '../domain/card.ts'
import { BUCKET_FACTOR } from '../domain/publication.ts'
import type { EffectiveVersion } from '../domain/version-tag.ts'
import { type AccountRow, type MemberRow, stateOf } from './rows.ts'

/** A pass with all that it shows now. */
export interface PassRecord extends EffectiveVersion {
  readonly brand: string
  readonly no: bigint
  readonly serial: string
  readonly authToken: Buffer
  readonly createdAt: Date
  /** When the shown version was made. */
  readonly changedAt: Date
  /** When the ledger recorded what made the shown version (a purchase, mostly); undefined when something else did. */
  readonly causedAt: Date | undefined
  /** When the push about it was handed to the lanes; undefined while it waits, or when there was no phone to wake. */
  readonly pushedAt: Date | undefined
  readonly devices: number
  /** Whether somebody has it in Google Wallet. */
  readonly isGoogleSaved: boolean
  readonly templateId: string
  /** Version of the template that this card shows: the stable one or the canary. */
  readonly templateVersion: number
  /** Grows with every event of any source that was applied to the card. */
  readonly sourcesVersion: bigint
  readonly state: CardState
  /** The campaign whose message the card shows; empty when it shows none of a campaign. */
  readonly campaignId: string
  /** stampede.events.v1.CampaignMessage that the card shows. */
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
  readonly caused_at: Date | null
  readonly devices: number
  readonly google_saved: boolean
  readonly template_id: string
  readonly template_version: number | null
  readonly sources_version: bigint
  readonly design_version: bigint
  readonly design_changed_at: Date | null
  readonly relevance: Buffer | null
  readonly message_id: string | null
  readonly message_seq: bigint | null
  readonly message_version: bigint
  readonly source: string | null
  readonly bump_at: Date | null
  readonly handed_at: Date | null
  readonly message: Buffer | null
  readonly own_message: Buffer | null
  readonly own_message_seq: bigint
}

/**
 * Whether bump `u` holds pass `p` and is not hidden from it: consent may have been withdrawn after it. Bits of a bitmap
 * are numbered as PostgreSQL numbers them: least significant first.
 */
export const isHeldByBump = `u.brand = p.brand AND u.base = p.no - p.no % ${passesPerRow}
  AND get_bit(u.bitmap, p.no % ${passesPerRow}) = 1 AND u.version > p.message_floor`

/** The bump that decides what pass `p` shows; join it as `n`. */
export const newestBump = `SELECT u.message_id, u.seq, u.version, u.created_at, u.handed_at FROM bump u
  WHERE ${isHeldByBump} ORDER BY u.rank DESC, u.seq DESC LIMIT 1`

/**
 * Version of the messages to many that pass `p` shows, of newestBump `n`: it grows whenever another one is shown, also
 * when one of a higher rank began to go out before one of a lower rank, and when they are hidden.
 */
export const messageVersion = 'coalesce(n.version, p.message_floor)'

/** Bucket of pass `p`; canaryBucket computes the same. */
export const bucketSql = `(p.no * ${BUCKET_FACTOR} % 4294967296 % 1000)`

/**
 * The version of a template, or its seq, that pass `p` shows of template_state `t`: the canary's for the share of the
 * numbers that it goes to. shownBy computes the same.
 */
export function shownDesign(column: 'version' | 'seq'): string {
  return `coalesce(CASE WHEN ${bucketSql} < t.canary_permille THEN t.canary_${column} ELSE t.stable_${column} END, 0)`
}

const passColumns = `p.brand, p.kind, p.owner_id, p.template_id, p.no, p.serial, p.auth_token, p.version, p.created_at, p.changed_at, p.caused_at,
    p.status, p.marketing_consent, p.locale, p.card_number, p.sealed_name, p.devices, p.google_saved, p.details, p.own_message, p.own_message_seq,
    p.member_version + p.details_version + coalesce(a.version, 0) + coalesce(r.version, 0) AS sources_version,
    ${shownDesign('version')}::int AS template_version, ${shownDesign('seq')} AS design_version, t.changed_at AS design_changed_at,
    a.available, a.next_expiry_at, a.next_expiry_points, a.currency, r.state AS relevance,
    n.message_id, n.seq AS message_seq, ${messageVersion} AS message_version, n.created_at AS bump_at, n.handed_at, m.source, m.body AS message`

const passJoins = `LEFT JOIN template_state t ON t.brand = p.brand AND t.template_id = p.template_id
  LEFT JOIN account_state a ON a.brand = p.brand AND a.owner_id = p.owner_id
  LEFT JOIN relevance_state r ON r.brand = p.brand AND r.owner_id = p.owner_id
  LEFT JOIN LATERAL (${newestBump}) n ON true
  LEFT JOIN message m ON m.brand = p.brand AND m.message_id = n.message_id`

const selectPass = `SELECT ${passColumns} FROM pass p ${passJoins}`

/** Passes by their serials, in the order of the keys; undefined where there is none. */
export async function readPasses(
  sql: Sql,
  keys: readonly { readonly brand: string; readonly serial: string }[],
): Promise<readonly (PassRecord | undefined)[]> {
  const rows = await sql.query<PassRow & { readonly place: number }>({
    name: 'passes-by-serial',
    text: `SELECT k.place::int, ${passColumns}
     FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS k (brand, serial, place)
     JOIN pass p ON p.brand = k.brand AND p.serial = k.serial ${passJoins}`,
    values: [keys.map((key) => key.brand), keys.map((key) => key.serial)],
  })
  const found: (PassRecord | undefined)[] = keys.map(() => undefined)
  for (const row of rows) found[row.place - 1] = passRecord(row)
  return found
}

/** A pass by its member, or by the owner of our own that a pass without a member has. */
export async function findPassByOwner(sql: Sql, brand: string, ownerId: string): Promise<PassRecord | undefined> {
  const text = `${selectPass} WHERE p.brand = $1 AND p.owner_id = $2`
  const rows = await sql.query<PassRow>({ name: 'pass-by-owner', text, values: [brand, ownerId] })
  return rows[0] === undefined ? undefined : passRecord(rows[0])
}

/** Passes from a number on, in the order of their numbers. */
export async function listPasses(sql: Sql, brand: string, from: bigint, limit: number): Promise<readonly PassRecord[]> {
  const text = `${selectPass} WHERE p.brand = $1 AND p.no >= $2 ORDER BY p.no LIMIT $3`
  const rows = await sql.query<PassRow>({ name: 'pass-list', text, values: [brand, from, limit] })
  return rows.map(passRecord)
}

function passRecord(row: PassRow): PassRecord {
  const times = [row.changed_at, row.design_changed_at, row.bump_at].filter((time) => time !== null)
  const changedAt = new Date(Math.max(...times.map((time) => time.getTime())))
  const isOwn = row.own_message !== null && row.own_message_seq >= (row.message_seq ?? 0n)
  return {
    brand: row.brand,
    no: row.no,
    serial: row.serial,
    authToken: row.auth_token,
    createdAt: row.created_at,
    changedAt,
    causedAt: row.changed_at.getTime() === changedAt.getTime() ? (row.caused_at ?? undefined) : undefined,
    pushedAt: pushedAtOf(row, changedAt),
    devices: row.devices,
    isGoogleSaved: row.google_saved,
    templateId: row.template_id,
    templateVersion: row.template_version ?? 0,
    sourcesVersion: row.sources_version,
    version: row.version,
    designVersion: row.design_version,
    messageSeq: row.message_version,
    campaignId: !isOwn && row.source === 'campaign' ? (row.message_id ?? '') : '',
    message: (isOwn ? row.own_message : row.message) ?? undefined,
    state: stateOf(row, row, row.relevance),
  }
}

/**
 * Pushes go to the outbox with the change that they tell of; those of a campaign follow when all of its row is handed
 * out. A new design reaches one phone after the other, of which nothing is kept: it counts from its publication.
 */
function pushedAtOf(row: PassRow, changedAt: Date): Date | undefined {
  if (row.devices === 0) return undefined
  const isCampaign = row.source === 'campaign' && row.bump_at?.getTime() === changedAt.getTime()
  return isCampaign ? (row.handed_at ?? undefined) : changedAt
}
