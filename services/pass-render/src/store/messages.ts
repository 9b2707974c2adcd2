import { passesPerRow, type Sql } from '@stampede/platform'
import { isHeldByBump } from './passes.ts'

/** A message that a pass carries. */
export interface HeldMessage {
  /** stampede.events.v1.CampaignMessage */
  readonly body: Buffer
  /** When the pass got it. */
  readonly at: Date
}

interface HeldRow {
  readonly own_message: Buffer | null
  readonly own_message_at: Date | null
  readonly own_message_seq: bigint
  readonly body: Buffer | null
  readonly at: Date | null
  readonly seq: bigint | null
}

/** The newest messages of a pass, at most `limit`, the one that it shows first: of campaigns, of MessageCards, its own. */
export async function messagesOf(sql: Sql, brand: string, no: bigint, limit: number): Promise<readonly HeldMessage[]> {
  const rows = await sql.query<HeldRow>({
    name: 'messages-of-pass',
    text: `SELECT p.own_message, p.own_message_at, p.own_message_seq, h.body, h.at, h.seq FROM pass p
     LEFT JOIN LATERAL (SELECT m.body, u.created_at AS at, u.seq, u.rank FROM bump u
       JOIN message m ON m.brand = u.brand AND m.message_id = u.message_id
       WHERE ${isHeldByBump} ORDER BY u.rank DESC, u.seq DESC LIMIT $3) h ON true
     WHERE p.brand = $1 AND p.no = $2 ORDER BY h.rank DESC, h.seq DESC`,
    values: [brand, no, limit],
  })
  const held = rows.flatMap(({ body, at, seq }) =>
    body === null || at === null || seq === null ? [] : [{ body, at, seq }],
  )
  const own = rows
    .slice(0, 1)
    .flatMap((row) =>
      row.own_message === null || row.own_message_at === null
        ? []
        : [{ body: row.own_message, at: row.own_message_at, seq: row.own_message_seq }],
    )
  // A message of the card's own wins over all that had come to the brand by then.
  const older = held.findIndex(({ seq }) => own.some((one) => one.seq >= seq))
  const place = older < 0 ? held.length : older
  return [...held.slice(0, place), ...own, ...held.slice(place)].slice(0, limit)
}

/**
 * Hides the messages to many that passes hold now, for good: consent was withdrawn, in this transaction, or the holder
 * is erased. Later messages are shown again if there is consent again. Answers with the numbers of those that showed one,
 * which therefore look different now. The passes must be locked.
 */
export async function hideMessages(tx: Sql, brand: string, nos: readonly bigint[]): Promise<ReadonlySet<bigint>> {
  if (nos.length === 0) return new Set()
  const rowSize = BigInt(passesPerRow)
  const bases = [...new Set(nos.map((no) => no - (no % rowSize)))]
  // Its lock: a campaign that is reaching these passes just now is done with them, or sees that they must not be told.
  await tx.query({
    name: 'messages-lock-rows',
    text: `INSERT INTO audience_row AS a (brand, base, version)
     SELECT $1, base, 0 FROM unnest($2::bigint[]) AS base ORDER BY base
     ON CONFLICT (brand, base) DO UPDATE SET version = a.version`,
    values: [brand, bases],
  })
  const rows = await tx.query<{ no: bigint; showed: boolean }>({
    name: 'messages-hide',
    text: `WITH shown AS (
       SELECT p.no, EXISTS (SELECT FROM bump u WHERE ${isHeldByBump}) AS showed
       FROM pass p WHERE p.brand = $1 AND p.no = ANY($2::bigint[]))
     UPDATE pass p SET message_floor = a.version FROM audience_row a, shown s
     WHERE p.brand = $1 AND p.no = s.no AND a.brand = p.brand AND a.base = p.no - p.no % ${passesPerRow}
     RETURNING p.no, s.showed`,
    values: [brand, nos],
  })
  return new Set(rows.filter((row) => row.showed).map((row) => row.no))
}
