import type { Sql } from '@stampede/platform'
import type { DetailsView } from '../domain/card.ts'
import { detailsBytes, detailsOf } from './rows.ts'

/**
 * Owners of the cards without a member that have these numbers, by number. Nobody else can make or change a card of
 * these numbers until the end of the transaction: also not one that does not exist yet.
 */
export async function lockOwnCards(
  tx: Sql,
  brand: string,
  cardNumbers: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const numbers = [...new Set(cardNumbers)].sort()
  await tx.query({
    name: 'own-cards-lock',
    text: `SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || number, 0))
     FROM unnest($2::text[]) WITH ORDINALITY AS n (number, place) ORDER BY place`,
    values: [brand, numbers],
  })
  const rows = await tx.query<{ card_number: string; owner_id: string }>({
    name: 'own-cards-find',
    text: `SELECT card_number, owner_id FROM pass WHERE brand = $1 AND kind <> 'member' AND card_number = ANY($2::text[])`,
    values: [brand, numbers],
  })
  return new Map(rows.map((row) => [row.card_number, row.owner_id]))
}

/** Owner of the card with this number, a member's or one of our own; undefined when there is none. */
export async function findOwnerByNumber(sql: Sql, brand: string, cardNumber: string): Promise<string | undefined> {
  const rows = await sql.query<{ owner_id: string }>(
    `SELECT owner_id FROM pass WHERE brand = $1 AND card_number = $2 ORDER BY kind = 'member' LIMIT 1`,
    [brand, cardNumber],
  )
  return rows[0]?.owner_id
}

/** A card that a message is addressed to. */
export interface AddressedCard {
  readonly cardNumber: string
  readonly no: bigint
  /** Whether it may be told: consent given, neither blocked nor erased nor used up. */
  readonly isTellable: boolean
}

/** Cards with these numbers. */
export async function findAddressed(
  sql: Sql,
  brand: string,
  cardNumbers: readonly string[],
): Promise<readonly AddressedCard[]> {
  const rows = await sql.query<{ card_number: string; no: bigint; may: boolean; details: Buffer | null }>(
    `SELECT card_number, no, marketing_consent AND status = 'active' AS may, details FROM pass
     WHERE brand = $1 AND card_number = ANY($2::text[])`,
    [brand, cardNumbers],
  )
  return rows.map((row) => ({
    cardNumber: row.card_number,
    no: row.no,
    isTellable: row.may && detailsOf(row.details).lifecycle === 'open',
  }))
}

/** What an upsert changes of a card that exists. */
export interface OwnCardUpdate {
  readonly ownerId: string
  readonly templateId: string
  readonly details: DetailsView
  readonly detailsVersion: bigint
  readonly locale: string
  readonly marketingConsent: boolean
  /** stampede.events.v1.CampaignMessage; undefined keeps the present one. */
  readonly ownMessage: Buffer | undefined
}

/** Stores changes of locked cards. A message wins over all that came so far. */
export async function saveOwnCards(
  tx: Sql,
  brand: string,
  updates: readonly OwnCardUpdate[],
  now: Date,
): Promise<void> {
  await tx.query({
    name: 'own-cards-save',
    text: `UPDATE pass AS p SET template_id = u.template_id, details = u.details, details_version = u.details_version,
       lifecycle = u.lifecycle, locale = u.locale, marketing_consent = u.marketing_consent,
       own_message = coalesce(u.own_message, p.own_message),
       own_message_at = CASE WHEN u.own_message IS NULL THEN p.own_message_at ELSE $9 END,
       own_message_seq = CASE WHEN u.own_message IS NULL THEN p.own_message_seq
         ELSE (SELECT b.message_seq FROM brand_state b WHERE b.brand = $1) END
     FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::text[], $7::boolean[], $8::bytea[], $10::text[])
       AS u (owner_id, template_id, details, details_version, locale, marketing_consent, own_message, lifecycle)
     WHERE p.brand = $1 AND p.owner_id = u.owner_id`,
    values: [
      brand,
      updates.map((item) => item.ownerId),
      updates.map((item) => item.templateId),
      updates.map((item) => detailsBytes(item.details)),
      updates.map((item) => item.detailsVersion),
      updates.map((item) => item.locale),
      updates.map((item) => item.marketingConsent),
      updates.map((item) => item.ownMessage ?? null),
      now,
      updates.map((item) => item.details.lifecycle),
    ],
  })
}
