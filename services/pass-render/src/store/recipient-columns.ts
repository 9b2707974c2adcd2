import { passesPerRow, type Sql } from '@stampede/platform'
import type { RecipientColumns } from '../domain/push-parts.ts'

/** Bytes per recipient of the column that holds place and length of the token. */
const PLACE_BYTES = 4

/**
 * Phones of the passes that an audience row's bitmap holds. One range of the index gives them in columns: a row of the
 * result for each phone would cost as much as all the rest of a campaign.
 */
export async function recipientColumns(
  sql: Sql,
  brand: string,
  base: bigint,
  bitmap: Uint8Array,
): Promise<RecipientColumns> {
  const [row] = await sql.query<{ places: Buffer | null; tokens: Buffer | null; ids: string | null }>({
    name: 'recipient-columns',
    text: `SELECT string_agg(int4send((place << 16) + octet_length(push_token)), '') AS places,
       string_agg(push_token, '') AS tokens, string_agg(device_library_id, ' ') AS ids
     FROM (SELECT (no - $2)::int AS place, push_token, device_library_id FROM registration
       WHERE brand = $1 AND no >= $2 AND no < $2::bigint + ${passesPerRow} AND get_bit($3::bytea, no - $2) = 1
       ORDER BY no, device_library_id) r`,
    values: [brand, base, bitmap],
  })
  const { places, tokens, ids } = row ?? {}
  return columnsOf(places ?? Buffer.alloc(0), tokens ?? Buffer.alloc(0), ids ?? '')
}

function columnsOf(packed: Buffer, tokens: Buffer, ids: string): RecipientColumns {
  const count = packed.length / PLACE_BYTES
  const places = new Uint16Array(count)
  const token = { message: tokens, starts: new Array<number>(count), ends: new Array<number>(count) }
  const id = { message: Buffer.from(ids, 'latin1'), starts: new Array<number>(count), ends: new Array<number>(count) }
  let tokenEnd = 0
  let idStart = 0
  for (let index = 0; index < count; index += 1) {
    const value = packed.readInt32BE(index * PLACE_BYTES)
    places[index] = value >> 16
    token.starts[index] = tokenEnd
    tokenEnd += value & 0xffff
    token.ends[index] = tokenEnd
    // No device id holds a space.
    const space = id.message.indexOf(0x20, idStart)
    const idEnd = space < 0 ? id.message.length : space
    id.starts[index] = idStart
    id.ends[index] = idEnd
    idStart = idEnd + 1
  }
  return { places, pushTokens: token, deviceLibraryIds: id }
}
