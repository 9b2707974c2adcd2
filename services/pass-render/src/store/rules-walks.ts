import type { Sql } from '@stampede/platform'

/** New rules on their way through a brand's cards. */
export interface RulesWalk {
  readonly brand: string
  /** First number that they have not come to. */
  readonly nextNo: bigint
}

/** Starts at the first card, also when earlier rules are still on their way. */
export async function startRulesWalk(tx: Sql, brand: string, version: number): Promise<void> {
  await tx.query(
    `INSERT INTO rules_walk (brand, version) VALUES ($1, $2)
     ON CONFLICT (brand) DO UPDATE SET version = $2, next_no = 0`,
    [brand, version],
  )
}

/** Takes one walk that no other replica works on, locked until the end of the transaction. */
export async function takeRulesWalk(tx: Sql): Promise<RulesWalk | undefined> {
  const rows = await tx.query<{ brand: string; next_no: bigint }>({
    name: 'rules-walk-take',
    text: 'SELECT brand, next_no FROM rules_walk ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED',
  })
  return rows[0] === undefined ? undefined : { brand: rows[0].brand, nextNo: rows[0].next_no }
}

/** Remembers how far a taken walk is; undefined ends it. */
export async function saveRulesWalk(tx: Sql, brand: string, nextNo: bigint | undefined): Promise<void> {
  if (nextNo === undefined) await tx.query('DELETE FROM rules_walk WHERE brand = $1', [brand])
  else await tx.query('UPDATE rules_walk SET next_no = $2 WHERE brand = $1', [brand, nextNo])
}

/** Owners of the passes from a number on, with their numbers, in order. */
export async function ownersFrom(
  tx: Sql,
  brand: string,
  from: bigint,
  limit: number,
): Promise<readonly { readonly ownerId: string; readonly no: bigint }[]> {
  const rows = await tx.query<{ owner_id: string; no: bigint }>({
    name: 'rules-walk-owners',
    text: 'SELECT owner_id, no FROM pass WHERE brand = $1 AND no >= $2 ORDER BY no LIMIT $3',
    values: [brand, from, limit],
  })
  return rows.map((row) => ({ ownerId: row.owner_id, no: row.no }))
}

/** A card that moves to another template. */
export interface Move {
  readonly no: bigint
  readonly templateId: string
}

/** Stores which templates locked cards have from now on. */
export async function saveMoves(tx: Sql, brand: string, moves: readonly Move[]): Promise<void> {
  await tx.query({
    name: 'rules-walk-moves',
    text: `UPDATE pass AS p SET template_id = u.template_id
     FROM unnest($2::bigint[], $3::text[]) AS u (no, template_id) WHERE p.brand = $1 AND p.no = u.no`,
    values: [brand, moves.map((move) => move.no), moves.map((move) => move.templateId)],
  })
}
