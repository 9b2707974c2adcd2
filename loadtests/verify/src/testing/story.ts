import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bitmapBytes, connectDatabase, createLogger, type Database, openDatabase, withBits } from '@stampede/platform'
import type { ApnsRow, FetchRow, InstallRow, PhoneRow, RemoveRow, ShowRow } from '@stampede/sandbox'

export const logger = createLogger('test', 'silent')
export const passTypeId = 'pass.example.demo'
export const startedAtMs = Date.parse('2026-11-20T08:00:00Z')
export const finishedAtMs = startedAtMs + 10_000
export const receiptId = '0199f3a0-0000-7000-8000-0000000000aa'
export const serials = ['0199f3a0-0000-7000-8000-000000000001', '0199f3a0-0000-7000-8000-000000000002'] as const
const memberIds = ['0199f3a0-0000-7000-8000-0000000000b1', '0199f3a0-0000-7000-8000-0000000000b2'] as const
export const campaignId = '0199f3a0-0000-7000-8000-0000000000c1'
const lotId = '0199f3a0-0000-7000-8000-0000000000d1'
export const tokens = ['aa'.repeat(32), 'bb'.repeat(32)] as const

const base = { passTypeId, device: 'd', url: 'https://x/', webServiceUrl: 'https://x', authToken: 't' }

/** A phone takes a pass. */
export function install(token: string, serial: string, at: number): InstallRow {
  return { ...base, event: 'install', at, phone: token.slice(0, 4), token, serial }
}

/** The phone shows the pass for the first time: it is registered. */
export function show(token: string, serial: string, at: number): ShowRow {
  const shown = { changes: [], fields: {}, lastModified: '', stored: [0, 0], images: {} } as const
  return { ...shown, event: 'show', at, phone: token.slice(0, 4), passTypeId, token, serial }
}

/** The pass is deleted from the phone. */
export function remove(token: string, serial: string, at: number): RemoveRow {
  return { event: 'remove', at, phone: token.slice(0, 4), passTypeId, token, serial, silently: true }
}

/** The phone fetches the pass, which verifies there. */
export function fetched(token: string, serial: string, at: number): FetchRow {
  const answer = { status: 200, ok: true, bytes: 1_000, ms: 5 }
  return { ...answer, event: 'fetch', at, phone: token.slice(0, 4), passTypeId, token, serial }
}

/** A push that APNs accepted. */
export function accepted(token: string, at: number): ApnsRow {
  return { at, token, topic: passTypeId, certUid: passTypeId, status: 200, apnsId: `id-${at}` }
}

/** Rows of the journals of a story. */
export interface Journals {
  readonly tills: readonly object[]
  readonly apns: readonly ApnsRow[]
  readonly phones: readonly PhoneRow[]
  /** A bundle that a phone kept, and the root that it verifies against. */
  readonly bundle: Uint8Array
  readonly rootPem: string
}

/** Journals in which all is well: two cards on two phones, pushed and fetched once. */
export function goodJournals(bundle: Uint8Array, rootPem: string): Journals {
  return {
    tills: [{ key: 'sale-1', id: receiptId }],
    phones: serials.flatMap((serial, index) => {
      const token = tokens[index] ?? ''
      return [
        install(token, serial, startedAtMs - 60_000),
        show(token, serial, startedAtMs - 59_000),
        fetched(token, serial, startedAtMs + 3_000),
      ]
    }),
    apns: tokens.map((token, index) => accepted(token, startedAtMs + 1_000 + index)),
    bundle,
    rootPem,
  }
}

/** Writes journals as a data directory keeps them. */
export function writeJournals(dataDir: string, journals: Journals): void {
  const write = (path: string, content: string | Uint8Array): void => {
    const file = join(dataDir, 'data', path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
  }
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  write('tills/demo.ndjson', lines(journals.tills))
  write('sandbox/apns.ndjson', lines(journals.apns))
  write('sandbox/phones.ndjson', lines(journals.phones))
  write(`sandbox/bundles/${serials[0]}.pkpass`, journals.bundle)
  write('sandbox/authority/root.pem', journals.rootPem)
}

const owners = { ledger: 'ledger', campaigns: 'campaigns', pass_render: 'pass-render' }

/** Makes the schemas of the services that verify reads, by their own migrations, and fills them with the story. */
export async function fillDatabase(url: string): Promise<Database> {
  for (const [schema, service] of Object.entries(owners)) {
    const migrationsDir = new URL(`../../../../services/${service}/src/store/migrations/`, import.meta.url)
    await using _ = await openDatabase({ url, schema, migrationsDir, logger, poolSize: 1 })
  }
  const database = connectDatabase({ url, schema: 'ledger', logger, poolSize: 1 })
  await fillLedger(database)
  await fillCampaign(database)
  return database
}

/** A sale of 10.00 that earned 50 points. */
async function fillLedger(database: Database): Promise<void> {
  const [memberId] = memberIds
  await database.transaction(async (tx) => {
    await tx.query(
      `INSERT INTO account (brand, member_id, currency, available, version, lifetime_earned, known)
       VALUES ('demo', $1, 'points', 50, 1, 50, true)`,
      [memberId],
    )
    await tx.query(
      `SELECT make_month(t, date_trunc('month', now() AT TIME ZONE 'UTC')::date) FROM unnest('{posting,receipt}'::text[]) t`,
    )
    await tx.query(
      `INSERT INTO posting (brand, member_id, currency, version, transaction_id, kind, cause_id, occurred_at, posted_at, month,
         entry_accounts, entry_amounts, lot_ids, lot_purposes, lot_available, lot_pending, lot_held)
       VALUES ('demo', $1, 'points', 1, $2, 'earn', $2, now(), now(), date_trunc('month', now() AT TIME ZONE 'UTC')::date,
         '{available,issued}', '{50,-50}', ARRAY[$3::uuid], '{grant}', '{50}', '{0}', '{0}')`,
      [memberId, receiptId, lotId],
    )
    await tx.query(
      `INSERT INTO lot (brand, member_id, currency, lot_id, amount, available, pending, held, earned_at, activates_at,
         expires_at, cause_id, funder, repay_basis_points)
       VALUES ('demo', $1, 'points', $2, 50, 50, 0, 0, now(), now(), now() + interval '1 year', $3, '', 10000)`,
      [memberId, lotId, receiptId],
    )
    await tx.query(
      `INSERT INTO receipt (brand, receipt_id, month, member_id, kind, store_id, till_id, business_day, number, occurred_at,
         posted_at, programme_version, point_value_minor, total_minor, refund_minor, points_earned, points_spent,
         content_hash, idempotency_key, lot_id, spend_lots, spend_points, line_indexes, line_quantities, line_amounts,
         line_paid, line_earned, line_discounts, line_returned, line_skus, line_categories)
       VALUES ('demo', $1, date_trunc('month', now() AT TIME ZONE 'UTC')::date, $2, 'sale', 's', 't', now(), '1', now(),
         now(), 1, 1, 1000, 0, 50, 0, ''::bytea, 'sale-1', $3, '{}', '{}', '{0}', '{1}', '{1000}', '{0}', '{50}', '{0}', '{0}',
         '{x}', '{""}')`,
      [receiptId, memberId, lotId],
    )
  })
}

/** A campaign that is done, to both cards; pass-render held nobody back. */
async function fillCampaign(database: Database): Promise<void> {
  const bitmap = withBits(new Uint8Array(bitmapBytes), [0, 1])
  for (const [no, serial] of serials.entries()) {
    await database.query(
      `INSERT INTO pass_render.pass (brand, owner_id, no, serial, auth_token, version, changed_at, created_at, member_version,
         status, marketing_consent, locale, card_number, event_version)
       VALUES ('demo', $1, $2, $3, ''::bytea, 1, now(), now(), 1, 'active', true, 'en', '1', 1)`,
      [memberIds[no], BigInt(no), serial],
    )
  }
  await database.query(
    `INSERT INTO campaigns.campaign (brand, campaign_id, name, status, segments, texts, max_per_second, create_key, create_hash,
       created_at, started_at, finished_at)
     VALUES ('demo', $1, 'x', 'done', '{all}', '[]', 0, 'k', ''::bytea, $2, $2, $3)`,
    [campaignId, new Date(startedAtMs), new Date(finishedAtMs)],
  )
  await database.query(
    `INSERT INTO campaigns.chunk (brand, campaign_id, chunk_index, base, bitmap, passes, fetched)
     VALUES ('demo', $1, 0, 0, $2, 2, ''::bytea)`,
    [campaignId, bitmap],
  )
  await database.query(
    `INSERT INTO pass_render.bump (brand, base, seq, message_id, chunk_index, bitmap, created_at)
     VALUES ('demo', 0, 1, $1, 0, $2, now())`,
    [campaignId, bitmap],
  )
}
