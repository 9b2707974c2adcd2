import type { BenchContext, Scenario as BenchScenario, Certificates } from '@stampede/h2push/bench'

export type { Report } from '@stampede/h2push/bench'

/** What every scenario is given. */
export interface Context extends BenchContext {
  readonly sinkPath: string
  readonly certificates: Certificates
}

/** A part of the benchmark that can be run alone. */
export type Scenario = BenchScenario<Context>
