import type { Goal } from '@stampede/h2push/bench'

/** What every scenario is given. */
export interface Context {
  /** Fewer and shorter runs. */
  readonly isQuick: boolean
  /** Says what is going on, to the terminal only. */
  progress(line: string): void
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
