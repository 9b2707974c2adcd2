import type { SeriesLabels } from './catalogue.ts'
import { readQuery, type Selector } from './promql.ts'

/** Labels that Prometheus itself puts on what it scrapes. */
const targetLabels: ReadonlySet<string> = new Set(['job', 'instance', 'namespace', 'pod'])
/** Series that Prometheus makes itself. */
const own: SeriesLabels = new Map([['up', new Set<string>()]])

/** What a query asks for that nobody prints: metrics, labels to match by, labels to group by. */
export function judgeQuery(text: string, known: SeriesLabels): readonly string[] {
  const { selectors, groupings } = readQuery(text)
  const series = new Map([...known, ...own])
  return [
    ...selectors.flatMap((selector) => judgeSelector(selector, series)),
    ...groupings.flatMap(({ labels, over }) =>
      labels
        .filter((label) => !targetLabels.has(label))
        .filter((label) => !over.every((selector) => allCarry(selector, label, series)))
        .map((label) => `is grouped by ${label}, which not all that it takes together has`),
    ),
  ]
}

function judgeSelector(selector: Selector, series: SeriesLabels): readonly string[] {
  const name = selector.name instanceof RegExp ? selector.name.source : selector.name
  if (namesOf(selector, series).length === 0) return [`no service prints ${name}`]
  return selector.labels
    .filter((label) => !targetLabels.has(label) && !allCarry(selector, label, series))
    .map((label) => `${name} has no label ${label}`)
}

function allCarry(selector: Selector, label: string, series: SeriesLabels): boolean {
  return namesOf(selector, series).every((name) => series.get(name)?.has(label) === true)
}

function namesOf({ name }: Selector, series: SeriesLabels): readonly string[] {
  if (typeof name === 'string') return series.has(name) ? [name] : []
  return [...series.keys()].filter((known) => name.test(known))
}
