import type { Sql } from '@stampede/platform'
import type { GiftCard, GiftCardHold, GiftCardState } from '../../domain/gift-cards/card.ts'
import { instantOf, instants, numbers, plain } from '../columns.ts'
import { type BrandId, brandIdText } from '../keys.ts'
import { readCardHolds } from './holds.ts'

/** A gift card as stored. */
export interface StoredGiftCard {
  readonly brand: string
  readonly card: GiftCard
  /** Why it was blocked; empty for one that never was. */
  readonly reason: string
  /** Grows with every change. */
  readonly version: bigint
}

interface RawGiftCard {
  readonly brand: string
  readonly card_id: string
  readonly code: string
  readonly pin: string
  readonly batch_id: string
  readonly value_minor: bigint
  readonly state: GiftCardState
  readonly balance_minor: bigint
  readonly is_sold: boolean
  readonly is_used: boolean
  readonly expires_at: Date | null
  readonly replaced_by: string | null
  readonly reason: string
  readonly version: bigint
}

/** A code of a brand. */
export interface CardCode {
  readonly brand: string
  /** Normalized. */
  readonly code: string
}

/** Ids of cards by their codes; a card's code never changes. */
export async function readCardIds(sql: Sql, codes: readonly CardCode[]): Promise<readonly (CardCode & BrandId)[]> {
  if (codes.length === 0) return []
  const rows = await sql.query<{ brand: string; code: string; card_id: string }>({
    name: 'ledger-read-gift-card-ids',
    text: `SELECT c.brand, c.code, c.card_id FROM unnest($1::text[], $2::text[]) k (brand, code)
      CROSS JOIN LATERAL (SELECT * FROM gift_card WHERE code = k.code AND brand = k.brand LIMIT 1) c`,
    values: [codes.map(({ brand }) => brand), codes.map(({ code }) => code)],
  })
  return rows.map(({ brand, code, card_id: id }) => ({ brand, code, id }))
}

/**
 * Cards, those that took their places, their open holds and the holds that are named; all are locked until the transaction
 * ends, the named ones in one order.
 */
export async function lockGiftCards(
  tx: Sql,
  ids: readonly BrandId[],
  holds: readonly BrandId[] = [],
): Promise<readonly StoredGiftCard[]> {
  const rows = new Map<string, RawGiftCard>()
  let open = ids
  while (open.length > 0) {
    for (const row of await lockRows(tx, open)) rows.set(brandIdText(row.brand, row.card_id), row)
    open = [...rows.values()].flatMap(({ brand, replaced_by: id }) =>
      id === null || rows.has(brandIdText(brand, id)) ? [] : [{ brand, id }],
    )
  }
  return withHolds(tx, [...rows.values()], holds)
}

/** A card by its code, with its open holds. */
export async function readGiftCard(sql: Sql, { brand, code }: CardCode): Promise<StoredGiftCard | undefined> {
  const rows = await sql.query<RawGiftCard>({
    name: 'ledger-read-gift-card',
    text: 'SELECT * FROM gift_card WHERE code = $2 AND brand = $1',
    values: [brand, code],
  })
  const [stored] = await withHolds(sql, rows, [])
  return stored
}

/** Cards of a batch after an id, oldest first, with their open holds. */
export async function readBatch(
  sql: Sql,
  { brand, batchId }: { readonly brand: string; readonly batchId: string },
  afterId: string | null,
  limit: number,
): Promise<readonly StoredGiftCard[]> {
  const rows = await sql.query<RawGiftCard>({
    name: 'ledger-read-gift-card-batch',
    text: `SELECT * FROM gift_card WHERE batch_id = $2 AND brand = $1 AND ($3::uuid IS NULL OR card_id > $3)
      ORDER BY card_id LIMIT $4`,
    values: [brand, batchId, afterId, limit],
  })
  return withHolds(sql, rows, [])
}

/** Cards that time has ended, or holds of theirs, which nobody else has in work; locked until the transaction ends. */
export async function lockDueGiftCards(tx: Sql, now: Date, limit: number): Promise<readonly StoredGiftCard[]> {
  const rows = await tx.query<RawGiftCard>({
    name: 'ledger-lock-due-gift-cards',
    text: `SELECT c.* FROM gift_card c WHERE (c.card_id, c.brand) IN (
        (SELECT card_id, brand FROM gift_card WHERE state = 'active' AND expires_at <= $1 ORDER BY expires_at LIMIT $2)
        UNION ALL
        (SELECT card_id, brand FROM gift_card_hold WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2))
      ORDER BY c.brand, c.card_id LIMIT $2 FOR UPDATE SKIP LOCKED`,
    values: [now, limit],
  })
  return withHolds(tx, rows, [])
}

/** Stores new cards. Their codes are random: one that is taken fails the transaction. */
export async function insertGiftCards(tx: Sql, cards: readonly StoredGiftCard[], now: Date): Promise<void> {
  if (cards.length === 0) return
  await tx.query({
    name: 'ledger-insert-gift-cards',
    text: `INSERT INTO gift_card (brand, card_id, code, pin, batch_id, value_minor, state, balance_minor, is_sold, is_used,
        expires_at, replaced_by, reason, version, issued_at)
      SELECT n.*, $15::timestamptz FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[],
        $7::text[], $8::bigint[], $9::boolean[], $10::boolean[], $11::timestamptz[], $12::uuid[], $13::text[],
        $14::bigint[]) n`,
    values: [
      cards.map(({ brand }) => brand),
      plain(cards.map(({ card }) => card.cardId)),
      cards.map(({ card }) => card.code),
      cards.map(({ card }) => card.pin),
      cards.map(({ card }) => card.batchId),
      numbers(cards.map(({ card }) => card.valueMinor)),
      plain(cards.map(({ card }) => card.state)),
      numbers(cards.map(({ card }) => card.balanceMinor)),
      numbers(cards.map(({ card }) => card.isSold)),
      numbers(cards.map(({ card }) => card.isUsed)),
      instants(cards.map(({ card }) => card.expiresAtMs)),
      plain(cards.map(({ card }) => card.replacedBy ?? null)),
      cards.map(({ reason }) => reason),
      numbers(cards.map(({ version }) => version)),
      now,
    ],
  })
}

/** Writes locked cards as they are now. */
export async function writeGiftCards(tx: Sql, cards: readonly StoredGiftCard[]): Promise<void> {
  if (cards.length === 0) return
  await tx.query({
    name: 'ledger-write-gift-cards',
    text: `UPDATE gift_card c SET state = n.state, balance_minor = n.balance_minor, is_sold = n.is_sold,
        is_used = n.is_used, expires_at = n.expires_at, replaced_by = n.replaced_by, reason = n.reason, version = n.version
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::boolean[], $6::boolean[], $7::timestamptz[],
        $8::uuid[], $9::text[], $10::bigint[])
        n (brand, card_id, state, balance_minor, is_sold, is_used, expires_at, replaced_by, reason, version)
      WHERE c.card_id = n.card_id AND c.brand = n.brand`,
    values: [
      cards.map(({ brand }) => brand),
      plain(cards.map(({ card }) => card.cardId)),
      plain(cards.map(({ card }) => card.state)),
      numbers(cards.map(({ card }) => card.balanceMinor)),
      numbers(cards.map(({ card }) => card.isSold)),
      numbers(cards.map(({ card }) => card.isUsed)),
      instants(cards.map(({ card }) => card.expiresAtMs)),
      plain(cards.map(({ card }) => card.replacedBy ?? null)),
      cards.map(({ reason }) => reason),
      numbers(cards.map(({ version }) => version)),
    ],
  })
}

async function lockRows(tx: Sql, ids: readonly BrandId[]): Promise<readonly RawGiftCard[]> {
  return tx.query<RawGiftCard>({
    name: 'ledger-lock-gift-cards',
    text: `SELECT c.* FROM gift_card c
      WHERE (c.card_id, c.brand) IN (SELECT card_id, brand FROM unnest($1::text[], $2::uuid[]) k (brand, card_id))
      ORDER BY c.brand, c.card_id FOR UPDATE`,
    values: [ids.map(({ brand }) => brand), plain(ids.map(({ id }) => id))],
  })
}

async function withHolds(
  sql: Sql,
  rows: readonly RawGiftCard[],
  named: readonly BrandId[],
): Promise<readonly StoredGiftCard[]> {
  const cards = rows.map(({ brand, card_id: id }) => ({ brand, id }))
  const holds = Map.groupBy(await readCardHolds(sql, cards, named), ({ brand, cardId }) => brandIdText(brand, cardId))
  return rows.map((row) => storedCard(row, holds.get(brandIdText(row.brand, row.card_id)) ?? []))
}

function storedCard(row: RawGiftCard, holds: readonly { readonly hold: GiftCardHold }[]): StoredGiftCard {
  return {
    brand: row.brand,
    reason: row.reason,
    version: row.version,
    card: {
      cardId: row.card_id,
      code: row.code,
      pin: row.pin,
      batchId: row.batch_id,
      valueMinor: row.value_minor,
      state: row.state,
      balanceMinor: row.balance_minor,
      isSold: row.is_sold,
      isUsed: row.is_used,
      expiresAtMs: instantOf(row.expires_at),
      replacedBy: row.replaced_by ?? undefined,
      holds: holds.map(({ hold }) => hold),
    },
  }
}
