import { bitmapBytes, type ClickHouse, passesPerRow } from '@stampede/platform'
import { type Parameters, selectRows } from './clickhouse.ts'

/** Whose passes an audience holds: the union of its parts, of which there is at least one. */
export interface AudienceQuery {
  readonly brand: string
  /** Every pass. */
  readonly all: boolean
  /** Passes of everyone who bought. */
  readonly buyers: boolean
  /** Segments of a snapshot. */
  readonly segments: readonly string[]
  /** IANA name of the brand's time zone. */
  readonly timeZone: string
  /** Needed with segments. */
  readonly snapshotId: string | undefined
}

/** One row of 8,192 pass numbers. */
export interface BitmapRow {
  /** First pass number, a multiple of 8,192, as text. */
  readonly base: string
  /** 1,024 bytes in hexadecimal. */
  readonly bitmap: string
  readonly count: number
}

/** Bits of bytes are gathered in the engine: a row of 8,192 passes leaves it as 2 KB, not as 8,192 numbers. */
const toBitmaps = `
SELECT toString(row * ${passesPerRow}) AS base, toUInt32(sum(bitCount(bits))) AS count,
  arrayStringConcat(arrayMap(byte -> hex(byte), groupArrayInsertAt(toUInt8(0), ${bitmapBytes})(bits, position))) AS bitmap
FROM (
  SELECT intDiv(no, ${passesPerRow}) AS row, toUInt32(intDiv(no % ${passesPerRow}, 8)) AS position, groupBitOr(bitShiftLeft(toUInt8(1), no % 8)) AS bits
  FROM stampede.passes FINAL WHERE brand = {brand:String} AND (PASSES)
  GROUP BY row, position
)
GROUP BY row ORDER BY row`

/** Members with a purchase day, as in a snapshot. */
const buyers = `member_id IN (SELECT member_id FROM stampede.member_activity WHERE brand = {brand:String} AND member_id != ''
  GROUP BY member_id, toDate(at, {timeZone:String}) HAVING sum(sales_minor) > 0 AND sum(sales_minor) > sum(returned_minor))`
const scored = `member_id IN (SELECT member_id FROM stampede.member_scores
  WHERE brand = {brand:String} AND snapshot_id = {snapshotId:UUID} AND segment IN {segments:Array(String)})`

/** Rows that hold any pass of the audience, lowest numbers first. */
export function audienceRows(client: ClickHouse, query: AudienceQuery): Promise<readonly BitmapRow[]> {
  const { brand, timeZone, segments, snapshotId } = query
  const select = (passes: string, parameters: Parameters) =>
    selectRows<BitmapRow>(client, toBitmaps.replace('PASSES', passes), parameters)
  if (query.all) return select('1', { brand })
  if (segments.length === 0) return select(buyers, { brand, timeZone })
  return select(query.buyers ? `${buyers} OR ${scored}` : scored, { brand, timeZone, segments, snapshotId })
}
