import { type Sql, writeOutbox } from '@stampede/platform'
import type { MemberPrice, PriceKind } from '../../domain/discounts/member-prices.ts'
import { memberPriceEvent } from '../../events.ts'
import { instants, numbers, plain, texts } from '../columns.ts'
import type { MemberKey } from '../tiers.ts'

/** A price of a member's own as stored. */
export interface StoredPrice extends MemberKey {
  readonly price: MemberPrice
  /** Grows with every change. */
  readonly version: bigint
}

interface RawPrice {
  readonly brand: string
  readonly member_id: string
  readonly price_id: string
  readonly kind: PriceKind
  readonly from_at: Date
  readonly until_at: Date
  readonly skus: readonly string[]
  readonly basis_points: readonly number[]
  readonly version: bigint
}

/** Prices of members that end after an instant, the first to begin first. */
export async function readMemberPrices(
  sql: Sql,
  members: readonly MemberKey[],
  afterMs: number,
): Promise<readonly StoredPrice[]> {
  if (members.length === 0) return []
  const rows = await sql.query<RawPrice>({
    name: 'ledger-read-member-prices',
    text: `SELECT p.* FROM (SELECT DISTINCT brand, member_id FROM unnest($1::text[], $2::uuid[]) n (brand, member_id)) k
      CROSS JOIN LATERAL (SELECT * FROM member_price
        WHERE member_id = k.member_id AND brand = k.brand AND until_at > $3) p
      ORDER BY p.from_at, p.price_id`,
    values: [members.map(({ brand }) => brand), plain(members.map(({ memberId }) => memberId)), new Date(afterMs)],
  })
  return rows.map(fromRow)
}

/** The newest price of a kind that a member has or had. */
export async function readNewestPrice(
  sql: Sql,
  { brand, memberId }: MemberKey,
  kind: PriceKind,
): Promise<StoredPrice | undefined> {
  const [row] = await sql.query<RawPrice>({
    name: 'ledger-read-newest-price',
    text: `SELECT * FROM member_price WHERE member_id = $2 AND brand = $1 AND kind = $3
      ORDER BY from_at DESC, price_id DESC LIMIT 1`,
    values: [brand, memberId, kind],
  })
  return row === undefined ? undefined : fromRow(row)
}

/** Stores new prices and new ends of others, with their events; the member's account is locked. */
export async function savePrices(tx: Sql, prices: readonly StoredPrice[], now: Date): Promise<void> {
  const next = prices.map((stored) => ({ ...stored, version: stored.version + 1n }))
  await tx.query({
    name: 'ledger-save-member-prices',
    text: `INSERT INTO member_price (brand, member_id, price_id, kind, from_at, until_at, skus, basis_points, version)
      SELECT n.brand, n.member_id, n.price_id, n.kind, n.from_at, n.until_at, n.skus::text[], n.basis_points::integer[],
        n.version
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[],
        $8::text[], $9::bigint[]) n (brand, member_id, price_id, kind, from_at, until_at, skus, basis_points, version)
      ON CONFLICT (member_id, brand, price_id) DO UPDATE SET until_at = excluded.until_at, version = excluded.version`,
    values: [
      next.map(({ brand }) => brand),
      plain(next.map(({ memberId }) => memberId)),
      plain(next.map(({ price }) => price.priceId)),
      plain(next.map(({ price }) => price.kind)),
      instants(next.map(({ price }) => price.fromMs)),
      instants(next.map(({ price }) => price.untilMs)),
      next.map(({ price }) => texts(price.items.map(({ sku }) => sku))),
      next.map(({ price }) => numbers(price.items.map(({ basisPoints }) => basisPoints))),
      numbers(next.map(({ version }) => version)),
    ],
  })
  await writeOutbox(
    tx,
    next.map((stored) => memberPriceEvent(stored, now)),
  )
}

function fromRow(row: RawPrice): StoredPrice {
  return {
    brand: row.brand,
    memberId: row.member_id,
    version: row.version,
    price: {
      priceId: row.price_id,
      kind: row.kind,
      fromMs: row.from_at.getTime(),
      untilMs: row.until_at.getTime(),
      items: row.skus.map((sku, index) => ({ sku, basisPoints: row.basis_points[index] ?? 0 })),
    },
  }
}
