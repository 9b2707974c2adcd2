import type { Sql } from '@stampede/platform'
import type { DrawStep } from '../../domain/draws/draw.ts'
import type { Place } from '../../domain/draws/winners.ts'
import { numbers, plain } from '../columns.ts'

/** Rows of one statement at most. */
const ROWS_MAX = 10_000

/** A ticket and whose it is. */
export interface StoredTicket {
  readonly ticketId: string
  readonly memberId: string
}

/** A place and whose it is. */
export interface DrawWinner extends Place {
  readonly memberId: string
}

interface DrawKey {
  readonly brand: string
  readonly drawId: string
}

/** Stores the tickets of a draw. */
export async function insertTickets(
  tx: Sql,
  { brand, drawId }: DrawKey,
  tickets: readonly StoredTicket[],
): Promise<void> {
  for (let from = 0; from < tickets.length; from += ROWS_MAX) {
    const part = tickets.slice(from, from + ROWS_MAX)
    await tx.query({
      name: 'ledger-insert-draw-tickets',
      text: `INSERT INTO draw_ticket (brand, draw_id, ticket_id, member_id, state)
        SELECT $1, $2, ticket_id, member_id, 'open' FROM unnest($3::text[], $4::uuid[]) n (ticket_id, member_id)`,
      values: [brand, drawId, plain(part.map(({ ticketId }) => ticketId)), plain(part.map(({ memberId }) => memberId))],
    })
  }
}

/** Tickets in their order from behind one of them. */
export async function readTickets(
  sql: Sql,
  { brand, drawId }: DrawKey,
  after: string,
  limit: number,
): Promise<readonly StoredTicket[]> {
  const rows = await sql.query<{ ticket_id: string; member_id: string }>({
    name: 'ledger-read-draw-tickets',
    text: `SELECT ticket_id, member_id FROM draw_ticket
      WHERE draw_id = $2 AND brand = $1 AND ticket_id > $3 ORDER BY ticket_id LIMIT $4`,
    values: [brand, drawId, after, limit],
  })
  return rows.map((row) => ({ ticketId: row.ticket_id, memberId: row.member_id }))
}

/** All tickets of a draw in their order. */
export async function readAllTickets(sql: Sql, key: DrawKey): Promise<readonly StoredTicket[]> {
  const all: StoredTicket[] = []
  for (;;) {
    const page = await readTickets(sql, key, all.at(-1)?.ticketId ?? '', ROWS_MAX)
    all.push(...page)
    if (page.length < ROWS_MAX) return all
  }
}

/** Notes that these tickets were drawn, and that all others have come to nothing. */
export async function resolveTickets(tx: Sql, { brand, drawId }: DrawKey, drawn: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE draw_ticket SET state = CASE WHEN ticket_id = ANY($3::text[]) THEN 'drawn' ELSE 'burnt' END
     WHERE draw_id = $2 AND brand = $1`,
    [brand, drawId, drawn],
  )
}

/** Stores what the numbers of the seed came to. */
export async function insertSteps(tx: Sql, { brand, drawId }: DrawKey, steps: readonly DrawStep[]): Promise<void> {
  for (let from = 0; from < steps.length; from += ROWS_MAX) {
    const part = steps.slice(from, from + ROWS_MAX)
    await tx.query({
      name: 'ledger-insert-draw-steps',
      text: `INSERT INTO draw_step (brand, draw_id, index, x, outcome, ticket_id)
        SELECT $1, $2, * FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[]) n`,
      values: [
        brand,
        drawId,
        numbers(part.map(({ index }) => index)),
        plain(part.map(({ x }) => x)),
        plain(part.map(({ outcome }) => outcome)),
        part.map(({ ticketId }) => ticketId),
      ],
    })
  }
}

/** What the numbers of the seed came to, in their order, at most `limit`. */
export async function readSteps(sql: Sql, { brand, drawId }: DrawKey, limit: number): Promise<readonly DrawStep[]> {
  const rows = await sql.query<{ index: number; x: string; outcome: DrawStep['outcome']; ticket_id: string }>({
    name: 'ledger-read-draw-steps',
    text: `SELECT index, x, outcome, ticket_id FROM draw_step WHERE draw_id = $2 AND brand = $1 ORDER BY index LIMIT $3`,
    values: [brand, drawId, limit],
  })
  return rows.map(({ index, x, outcome, ticket_id: ticketId }) => ({ index, x, outcome, ticketId }))
}

/** Stores winners and alternates, or what became of them; the draw is locked. */
export async function writeWinners(tx: Sql, { brand, drawId }: DrawKey, winners: readonly DrawWinner[]): Promise<void> {
  for (const winner of winners) {
    await tx.query({
      name: 'ledger-write-draw-winner',
      text: `INSERT INTO draw_winner (brand, draw_id, place, ticket_id, member_id, prize_id, value_minor, state, until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (draw_id, brand, place) DO UPDATE SET prize_id = excluded.prize_id,
          value_minor = excluded.value_minor, state = excluded.state, until = excluded.until`,
      values: [
        brand,
        drawId,
        winner.place,
        winner.ticketId,
        winner.memberId,
        winner.prizeId,
        winner.valueMinor,
        winner.state,
        winner.untilMs === undefined ? null : new Date(winner.untilMs),
      ],
    })
  }
}

/** Winners and alternates in the order in which they were drawn. */
export async function readWinners(sql: Sql, { brand, drawId }: DrawKey): Promise<readonly DrawWinner[]> {
  const rows = await sql.query<{
    place: number
    ticket_id: string
    member_id: string
    prize_id: string
    value_minor: bigint
    state: DrawWinner['state']
    until: Date | null
  }>({
    name: 'ledger-read-draw-winners',
    text: 'SELECT * FROM draw_winner WHERE draw_id = $2 AND brand = $1 ORDER BY place',
    values: [brand, drawId],
  })
  return rows.map((row) => ({
    place: row.place,
    ticketId: row.ticket_id,
    memberId: row.member_id,
    prizeId: row.prize_id,
    valueMinor: row.value_minor,
    state: row.state,
    untilMs: row.until?.getTime(),
  }))
}

/** Ids of a member's tickets. */
export async function readTicketsOf(
  sql: Sql,
  { brand, drawId }: DrawKey,
  memberId: string,
): Promise<readonly string[]> {
  const rows = await sql.query<{ ticket_id: string }>({
    name: 'ledger-read-draw-tickets-of',
    text: `SELECT ticket_id FROM draw_ticket WHERE draw_id = $2 AND brand = $1 AND member_id = $3 ORDER BY ticket_id`,
    values: [brand, drawId, memberId],
  })
  return rows.map((row) => row.ticket_id)
}
