import type { Sql } from '@stampede/platform'
import type { GiftCardHold } from '../../domain/gift-cards/card.ts'
import { instants, numbers, plain } from '../columns.ts'
import type { BrandId } from '../keys.ts'

/** A hold with the card that it is on. */
export interface OwnedCardHold {
  readonly brand: string
  readonly cardId: string
  readonly hold: GiftCardHold
}

interface RawCardHold {
  readonly brand: string
  readonly hold_id: string
  readonly card_id: string
  readonly reference: string
  readonly amount_minor: bigint
  readonly created_at: Date
  readonly expires_at: Date
  readonly state: GiftCardHold['state']
  readonly committed_minor: bigint
  readonly returned_minor: bigint
  readonly receipt_id: string | null
}

/** The card that a hold is on; a hold never leaves it. */
export async function readHoldCard(sql: Sql, { brand, id }: BrandId): Promise<string | undefined> {
  const [row] = await sql.query<{ card_id: string }>({
    name: 'ledger-read-gift-card-of-hold',
    text: 'SELECT card_id FROM gift_card_hold WHERE hold_id = $2 AND brand = $1',
    values: [brand, id],
  })
  return row?.card_id
}

/** Open holds of cards, and those of them that are named, whatever they are. */
export async function readCardHolds(
  sql: Sql,
  cards: readonly BrandId[],
  named: readonly BrandId[],
): Promise<readonly OwnedCardHold[]> {
  if (cards.length === 0) return []
  const rows = await sql.query<RawCardHold>({
    name: 'ledger-read-gift-card-holds',
    text: `SELECT h.* FROM unnest($1::text[], $2::uuid[]) k (brand, card_id)
      JOIN gift_card_hold h ON h.card_id = k.card_id AND h.brand = k.brand AND h.state = 'open'
      UNION SELECT h.* FROM unnest($3::text[], $4::uuid[]) n (brand, hold_id)
      JOIN gift_card_hold h ON h.hold_id = n.hold_id AND h.brand = n.brand`,
    values: [
      cards.map(({ brand }) => brand),
      plain(cards.map(({ id }) => id)),
      named.map(({ brand }) => brand),
      plain(named.map(({ id }) => id)),
    ],
  })
  return rows.map((row) => ({ brand: row.brand, cardId: row.card_id, hold: holdFromRow(row) }))
}

/** Stores new holds and what became of others, in their order: one that is given up makes room for one of the same basket. */
export async function writeCardHolds(tx: Sql, holds: readonly OwnedCardHold[]): Promise<void> {
  if (holds.length === 0) return
  await tx.query({
    name: 'ledger-write-gift-card-holds',
    text: `INSERT INTO gift_card_hold (brand, hold_id, card_id, reference, amount_minor, created_at, expires_at, state,
        committed_minor, returned_minor, receipt_id)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::timestamptz[],
        $7::timestamptz[], $8::text[], $9::bigint[], $10::bigint[], $11::uuid[])
      ON CONFLICT (hold_id, brand) DO UPDATE SET state = excluded.state, committed_minor = excluded.committed_minor,
        returned_minor = excluded.returned_minor, receipt_id = excluded.receipt_id`,
    values: [
      holds.map(({ brand }) => brand),
      plain(holds.map(({ hold }) => hold.holdId)),
      plain(holds.map(({ cardId }) => cardId)),
      holds.map(({ hold }) => hold.reference),
      numbers(holds.map(({ hold }) => hold.amountMinor)),
      instants(holds.map(({ hold }) => hold.createdAtMs)),
      instants(holds.map(({ hold }) => hold.expiresAtMs)),
      plain(holds.map(({ hold }) => hold.state)),
      numbers(holds.map(({ hold }) => hold.committedMinor)),
      numbers(holds.map(({ hold }) => hold.returnedMinor)),
      plain(holds.map(({ hold }) => hold.receiptId ?? null)),
    ],
  })
}

function holdFromRow(row: RawCardHold): GiftCardHold {
  return {
    holdId: row.hold_id,
    reference: row.reference,
    amountMinor: row.amount_minor,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    state: row.state,
    committedMinor: row.committed_minor,
    returnedMinor: row.returned_minor,
    receiptId: row.receipt_id ?? undefined,
  }
}
