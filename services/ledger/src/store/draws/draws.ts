import type { Sql } from '@stampede/platform'
import { Draw as DrawMessage } from '@stampede/proto/draws/v1'
import type { Draw } from '../../domain/draws/draw.ts'
import { drawOf } from '../../draw-message.ts'

/** Days after the cut-off in which returns are still looked at. */
const RETURN_DAYS_MAX = 400

/** A draw as it stands. */
export interface StoredDraw {
  readonly brand: string
  readonly message: DrawMessage
  readonly rules: Draw
  /** Not to be told before it is drawn. */
  readonly secret: string
  readonly state: 'open' | 'closed' | 'drawn'
  /** Empty as long as it is open. */
  readonly listHash: string
  readonly ticketCount: bigint
  /** Empty before it is drawn. */
  readonly seed: string
}

interface RawDraw {
  readonly brand: string
  readonly draw_id: string
  readonly message: Buffer
  readonly secret: string
  readonly state: StoredDraw['state']
  readonly list_hash: string
  readonly ticket_count: bigint
  readonly seed: string
}

/** A draw; `lock` keeps it as it is (`share`) or for oneself (`update`) until the transaction ends. */
export async function readDraw(
  sql: Sql,
  brand: string,
  drawId: string,
  lock?: 'share' | 'update',
): Promise<StoredDraw | undefined> {
  const locking = lock === undefined ? '' : ` FOR ${lock}`
  const [row] = await sql.query<RawDraw>({
    name: `ledger-read-draw${lock ?? ''}`,
    text: `SELECT * FROM draw WHERE brand = $1 AND draw_id = $2${locking}`,
    values: [brand, drawId],
  })
  return row && fromRow(row)
}

/** Stores a draw, or changes one that is not begun at `now`; false for one that is. */
export async function writeDraw(
  tx: Sql,
  brand: string,
  { message, secret }: Pick<StoredDraw, 'message' | 'secret'>,
  now: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO draw (brand, draw_id, message, begins_at, cut_off, burn, secret, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'open')
     ON CONFLICT (brand, draw_id) DO UPDATE SET message = excluded.message, begins_at = excluded.begins_at,
       cut_off = excluded.cut_off, burn = excluded.burn WHERE draw.begins_at > $8
     RETURNING 1`,
    [
      brand,
      message.drawId,
      Buffer.from(DrawMessage.encode(message).finish()),
      message.from,
      message.cutOff,
      drawOf(message).burn,
      secret,
      now,
    ],
  )
  return rows.length > 0
}

/** Draws of the brands that a receipt of now could be for, or the return of one. */
export async function readDraws(sql: Sql, brands: readonly string[], now: Date): Promise<readonly StoredDraw[]> {
  const rows = await sql.query<RawDraw>({
    name: 'ledger-read-draws',
    text: `SELECT * FROM draw WHERE brand = ANY($1::text[]) AND begins_at <= $2::timestamptz + interval '1 day'
      AND cut_off > $2::timestamptz - make_interval(days => $3)`,
    values: [brands, now, RETURN_DAYS_MAX],
  })
  return rows.map(fromRow)
}

/** Draws whose cut-off has passed and whose points are not burnt. */
export async function readDueDraws(sql: Sql, now: Date, limit: number): Promise<readonly StoredDraw[]> {
  const rows = await sql.query<RawDraw>({
    name: 'ledger-read-due-draws',
    text: 'SELECT * FROM draw WHERE burnt_at IS NULL AND cut_off <= $1 ORDER BY cut_off LIMIT $2',
    values: [now, limit],
  })
  return rows.map(fromRow)
}

/** Fixes the list of a locked draw. */
export async function writeClosed(
  tx: Sql,
  { brand, rules: { drawId } }: StoredDraw,
  { listHash, ticketCount }: Pick<StoredDraw, 'listHash' | 'ticketCount'>,
): Promise<void> {
  await tx.query(
    `UPDATE draw SET state = 'closed', list_hash = $3, ticket_count = $4 WHERE brand = $1 AND draw_id = $2`,
    [brand, drawId, listHash, ticketCount],
  )
}

/** Notes that the points of a draw are burnt. */
export async function writeBurnt(sql: Sql, { brand, rules: { drawId } }: StoredDraw, now: Date): Promise<void> {
  await sql.query('UPDATE draw SET burnt_at = $3 WHERE brand = $1 AND draw_id = $2', [brand, drawId, now])
}

/** Notes by what seed a locked draw was drawn. */
export async function writeDrawn(
  tx: Sql,
  { brand, rules: { drawId } }: StoredDraw,
  seed: string,
  now: Date,
): Promise<void> {
  await tx.query(`UPDATE draw SET state = 'drawn', seed = $3, drawn_at = $4 WHERE brand = $1 AND draw_id = $2`, [
    brand,
    drawId,
    seed,
    now,
  ])
}

function fromRow(row: RawDraw): StoredDraw {
  const message = DrawMessage.decode(row.message)
  return {
    brand: row.brand,
    message,
    rules: drawOf(message),
    secret: row.secret,
    state: row.state,
    listHash: row.list_hash,
    ticketCount: row.ticket_count,
    seed: row.seed,
  }
}
