import { readFileSync } from 'node:fs'

/** A metric as k6 sums it up. */
export interface Metric {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend'
  readonly values: Readonly<Record<string, number>>
  /** By expression; `ok` is false when it was crossed. */
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
}

/** k6's summary of a run. */
export interface Summary {
  readonly metrics: Readonly<Record<string, Metric>>
  readonly state: { readonly testRunDurationMs: number }
}

/** Reads the summary that the script wrote. */
export function readSummary(file: string): Summary {
  return JSON.parse(readFileSync(file, 'utf8')) as Summary
}

/** A threshold and what became of it. */
export interface Judgement {
  readonly metric: string
  readonly expression: string
  /** Value that the expression is about; undefined when there was no sample. */
  readonly value: number | undefined
  readonly ok: boolean
}

/** All thresholds, those that were crossed first. */
export function judge({ metrics }: Summary): readonly Judgement[] {
  const all = Object.entries(metrics).flatMap(([metric, { values, thresholds = {} }]) =>
    Object.entries(thresholds).map(([expression, { ok }]) => {
      const aggregate = /^[a-z]+(\([\d.]+\))?/.exec(expression)?.[0] ?? ''
      return { metric, expression, value: values[aggregate], ok }
    }),
  )
  return all.toSorted((a, b) => Number(a.ok) - Number(b.ok) || a.metric.localeCompare(b.metric))
}

/** Count of a counter, 0 when it never counted. */
export function countOf({ metrics }: Summary, metric: string): number {
  return metrics[metric]?.values['count'] ?? 0
}

/** Whether a metric was ever written; one that counts what must not happen needs none. */
export function hasSamples({ metrics }: Summary, metric: string): boolean {
  const { type, values } = metrics[metric] ?? { type: 'counter', values: {} }
  if (type === 'trend') return (values['count'] ?? 0) > 0
  if (type === 'rate') return (values['passes'] ?? 0) + (values['fails'] ?? 0) > 0
  return true
}
