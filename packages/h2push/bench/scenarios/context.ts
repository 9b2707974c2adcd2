import type { BenchContext, Scenario as BenchScenario } from '../command.ts'
import type { Clients } from '../peers/catalog.ts'
import type { Certificates } from '../sink/certificates.ts'

export type { Goal, Report } from '../command.ts'

/** What every scenario is given. */
export interface Context extends BenchContext {
  /** Path of the sink. */
  readonly sinkPath: string
  readonly certificates: Certificates
  readonly clients: Clients
  readonly skipped: readonly string[]
  readonly versions: Readonly<Record<string, string>>
}

/** A part of the benchmark that can be run alone. */
export type Scenario = BenchScenario<Context>
