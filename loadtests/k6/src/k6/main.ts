// k6 run -e FIXTURE=file src/k6/main.ts: the scenario that the fixture names.
import type { Options } from 'k6/options'
import { planOf } from '../plan/scenario.ts'
import { fixture } from './world.ts'

export { campaign } from './campaign.ts'
export { enrol } from './enrol.ts'
export { phone } from './phone.ts'
export { till } from './till.ts'

const plan = planOf(fixture)

export const options = {
  ...plan,
  // Each phone that wakes makes a connection of its own.
  noVUConnectionReuse: true,
  // Our own tags alone: every tag of every sample is written down.
  systemTags: [],
  summaryTrendStats: ['count', 'avg', 'med', 'p(95)', 'p(99)', 'max'],
} as unknown as Options

/** Writes the end's figures where the runner reads them. */
export function handleSummary(summary: object): Record<string, string> {
  return { [fixture.summaryFile]: JSON.stringify(summary) }
}
