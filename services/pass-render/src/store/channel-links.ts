import type { Sql } from '@stampede/platform'
import { ChannelLink } from '@stampede/proto/passes/v1'

/** A channel link and what it handed out. */
export interface ChannelLinkRow {
  readonly link: ChannelLink
  readonly issued: bigint
  readonly idempotencyKey: string
}

interface Row {
  readonly body: Buffer
  readonly issued: bigint
  readonly idempotency_key: string
}

/** A brand's link; undefined when there is none. */
export async function findChannelLink(sql: Sql, brand: string, linkId: string): Promise<ChannelLinkRow | undefined> {
  const rows = await sql.query<Row>({
    name: 'channel-link-find',
    text: 'SELECT body, issued, idempotency_key FROM channel_link WHERE brand = $1 AND link_id = $2',
    values: [brand, linkId],
  })
  const row = rows[0]
  if (row === undefined) return undefined
  return { link: ChannelLink.decode(row.body), issued: row.issued, idempotencyKey: row.idempotency_key }
}

/** Stores a link; what it handed out is kept. */
export async function saveChannelLink(
  tx: Sql,
  brand: string,
  link: ChannelLink,
  idempotencyKey: string,
): Promise<void> {
  await tx.query(
    `INSERT INTO channel_link (brand, link_id, body, idempotency_key) VALUES ($1, $2, $3, $4)
     ON CONFLICT (brand, link_id) DO UPDATE SET body = $3, idempotency_key = $4`,
    [brand, link.linkId, Buffer.from(ChannelLink.encode(link).finish()), idempotencyKey],
  )
}

/** Takes one pass of a link; false when it has none left. `max` 0: no end. */
export async function takeOfLink(tx: Sql, brand: string, linkId: string, max: bigint): Promise<boolean> {
  const rows = await tx.query({
    name: 'channel-link-take',
    text: `UPDATE channel_link SET issued = issued + 1
     WHERE brand = $1 AND link_id = $2 AND ($3::bigint = 0 OR issued < $3) RETURNING 1`,
    values: [brand, linkId, max],
  })
  return rows.length > 0
}
