import { analyticsIngest } from './analytics-ingest.ts'
import { type BoardSpec, buildBoard } from './board.ts'
import { brand } from './brand.ts'
import { campaignControlRoom } from './campaign-control-room.ts'
import { dispatcher } from './dispatcher.ts'
import { ledger } from './ledger.ts'
import { operator } from './operator.ts'
import { pullBack } from './pull-back.ts'

/** All dashboards. */
export const boards: readonly BoardSpec[] = [
  campaignControlRoom,
  dispatcher,
  pullBack,
  ledger,
  analyticsIngest,
  operator,
  brand,
]

/** Text of each dashboard's file, by the file's name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(boards.map((spec) => [`${spec.uid}.json`, `${JSON.stringify(buildBoard(spec), null, 2)}\n`]))
}
