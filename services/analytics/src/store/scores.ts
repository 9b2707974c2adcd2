import { thresholdLevels } from '@stampede/lifetimes'
import type { ClickHouse } from '@stampede/platform'
import { asThresholds, flatGrid, noThresholds, type SnapshotThresholds } from '../domain/scoring.ts'
import { instantCell } from '../domain/tables.ts'
import { execute, type Parameters, selectRow, selectRows } from './clickhouse.ts'

/** What a snapshot is of. */
export interface SnapshotScope {
  readonly brand: string
  readonly snapshotId: string
  readonly asOf: Date
  /** IANA name of the brand's time zone: it says where a day ends. */
  readonly timeZone: string
}

/** What was measured and scored. */
export interface ScoredSnapshot {
  readonly members: number
  /** Undefined when the brand has no buyer. */
  readonly thresholds: SnapshotThresholds | undefined
}

/**
 * One row per member. A purchase day is a local day whose sales exceed the returns of the same day; later returns lower
 * only the value. Everybody who is enrolled and not erased counts, and so does a buyer whose enrolment did not arrive yet.
 */
const measure = `
INSERT INTO stampede.snapshot_measures (brand, snapshot_id, member_id, frequency, recency_days, span_days, monetary_minor)
WITH toDate({asOf:DateTime64(3, 'UTC')}, {timeZone:String}) AS as_of_day
SELECT {brand:String}, {snapshotId:UUID}, member_id, sum(days) AS frequency,
  if(frequency = 0, 0, greatest(dateDiff('day', max(last_day), as_of_day), 0)),
  if(frequency = 0, 0, dateDiff('day', min(first_day), max(last_day))),
  sum(net_minor)
FROM (
  SELECT member_id, countIf(is_purchase) AS days, maxIf(day, is_purchase) AS last_day, minIf(day, is_purchase) AS first_day, sum(net) AS net_minor
  FROM (
    SELECT member_id, toDate(at, {timeZone:String}) AS day, sum(sales_minor) AS sold, sum(sales_minor) - sum(returned_minor) AS net, sold > 0 AND net > 0 AS is_purchase
    FROM stampede.member_activity
    WHERE brand = {brand:String} AND at <= {asOf:DateTime64(3, 'UTC')} AND member_id != ''
    GROUP BY member_id, day
  )
  GROUP BY member_id
  UNION ALL
  SELECT member_id, 0, toDate(0), toDate(0), 0 FROM stampede.members FINAL
  WHERE brand = {brand:String} AND status != 'erased' AND enrolled_at <= {asOf:DateTime64(3, 'UTC')}
)
WHERE member_id NOT IN (SELECT member_id FROM stampede.members FINAL WHERE brand = {brand:String} AND status = 'erased')
GROUP BY member_id`

/** Quantiles are exact and interpolated (R type 7), as in \`@stampede/lifetimes\`; an approximate kind is not repeatable. */
const cut = `
SELECT toString(count()) AS members, toString(countIf(frequency > 0)) AS buyers,
  quantilesExactInclusiveIf(${thresholdLevels.join(', ')})(recency_days, frequency > 0) AS recency,
  quantilesExactInclusiveIf(${thresholdLevels.join(', ')})(frequency, frequency > 0) AS frequencies,
  quantilesExactInclusiveIf(${thresholdLevels.join(', ')})(monetary_minor, frequency > 0) AS monetary,
  quantileExactInclusiveIf(0.5)(recency_days, frequency > 0) AS medianRecency
FROM stampede.snapshot_measures WHERE brand = {brand:String} AND snapshot_id = {snapshotId:UUID}`

const above = (value: string, thresholds: string) =>
  [1, 2, 3, 4].map((index) => `(${value} > {${thresholds}:Array(Float64)}[${index}])`).join(' + ')

/** Plain comparisons: an arrayCount over the thresholds takes twice as long. */
const score = `
INSERT INTO stampede.member_scores (brand, snapshot_id, member_id, r, f, m, segment, churning, frequency, recency_days, monetary_minor)
SELECT brand, snapshot_id, member_id,
  if(frequency = 0, 0, 5 - (${above('recency_days', 'recency')})) AS r,
  if(frequency = 0, 0, 1 + ${above('frequency', 'frequency')}) AS f,
  if(frequency = 0, 0, 1 + ${above('monetary_minor', 'monetary')}) AS m,
  if(frequency = 0, 'prospects', {grid:Array(String)}[(r - 1) * 5 + f]) AS segment,
  multiIf(
    frequency = 0, 0,
    frequency = 1, recency_days > 2 * {medianRecency:Float64},
    recency_days * (frequency - 1) > 2 * span_days AND recency_days > {medianRecency:Float64}) AS churning,
  frequency, recency_days, monetary_minor
FROM stampede.snapshot_measures WHERE brand = {brand:String} AND snapshot_id = {snapshotId:UUID}`

interface CutRow {
  readonly members: string
  readonly buyers: string
  readonly recency: readonly number[]
  readonly frequencies: readonly number[]
  readonly monetary: readonly number[]
  readonly medianRecency: number | null
}

/** Measures all members as of an instant, cuts, and stores their scores under the snapshot's id. */
export async function scoreMembers(client: ClickHouse, scope: SnapshotScope): Promise<ScoredSnapshot> {
  const { brand, snapshotId, timeZone } = scope
  const parameters: Parameters = { brand, snapshotId, timeZone, asOf: instantCell(scope.asOf) }
  await execute(client, measure, parameters)
  try {
    const row = await selectRow<CutRow>(client, cut, { brand, snapshotId })
    const thresholds = row.buyers === '0' ? undefined : thresholdsOf(row)
    await execute(client, score, {
      brand,
      snapshotId,
      grid: flatGrid,
      medianRecency: row.medianRecency ?? 0,
      ...(thresholds ?? noThresholds),
    })
    return { members: Number(row.members), thresholds }
  } finally {
    await execute(client, 'ALTER TABLE stampede.snapshot_measures DROP PARTITION {snapshotId:UUID}', { snapshotId })
  }
}

/**
 * Measures are whole numbers and levels are fifths, so a threshold is a whole number of fifths. The engine's rounding may put it
 * beside the value that it falls on, which would then count as above it.
 */
function toFifths(value: number): number {
  return Math.round(value * 5) / 5
}

function thresholdsOf(row: CutRow): SnapshotThresholds {
  const [recency, frequency, monetary] = [row.recency, row.frequencies, row.monetary].map((values) =>
    asThresholds(values.map(toFifths)),
  )
  if (!recency || !frequency || !monetary) throw new Error('quantiles of buyers are not numbers')
  return { recency, frequency, monetary }
}

/** Ids of all snapshots of the brand that have rows, complete or not. */
export async function storedSnapshots(client: ClickHouse, brand: string): Promise<readonly string[]> {
  const rows = await selectRows<{ id: string }>(
    client,
    `SELECT DISTINCT toString(snapshot_id) AS id FROM stampede.member_scores WHERE brand = {brand:String}
     UNION DISTINCT SELECT DISTINCT toString(snapshot_id) FROM stampede.snapshot_measures WHERE brand = {brand:String}`,
    { brand },
  )
  return rows.map((row) => row.id)
}

/** Removes all rows of a snapshot. */
export async function dropScores(client: ClickHouse, snapshotId: string): Promise<void> {
  await execute(client, 'ALTER TABLE stampede.snapshot_measures DROP PARTITION {snapshotId:UUID}', { snapshotId })
  await execute(client, 'ALTER TABLE stampede.member_scores DROP PARTITION {snapshotId:UUID}', { snapshotId })
}
