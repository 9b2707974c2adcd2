import type { Clients } from '../peers/catalog.ts'
import type { Certificates } from '../sink/certificates.ts'

/** What every scenario is given. */
export interface Context {
  /** Path of the sink. */
  readonly sinkPath: string
  readonly certificates: Certificates
  readonly clients: Clients
  /** Fewer and shorter runs. */
  readonly isQuick: boolean
  /** Says what is going on, to the terminal only. */
  progress(line: string): void
}

/** One goal and how far it was reached. */
export interface Goal {
  readonly name: string
  /** What must be reached, and what was, as told. */
  readonly must: string
  readonly measured: string
  readonly isReached: boolean
}

/** What a scenario hands to the report. */
export interface Report {
  readonly title: string
  /** Markdown: a table and notes. */
  readonly text: string
  readonly goals: readonly Goal[]
  /** For `--json`. */
  readonly data: unknown
}

/** A part of the benchmark that can be run alone. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string
  run(context: Context): Promise<Report>
}
