import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempDir } from '@stampede/platform/testing'
import { readRules } from './alerts.ts'
import type { BoardSpec, PanelSpec } from './dashboards/board.ts'
import { boards, dashboardFiles } from './dashboards/index.ts'
import { knownSeries, type SeriesLabels } from './queries/catalogue.ts'
import { judgeQuery } from './queries/judge.ts'
import { readQuery } from './queries/promql.ts'
import { chartDir, root } from './testing/helm.ts'
import { complaintOf, findProgram } from './testing/promtool.ts'

const promtool = findProgram('promtool')
const dashboardsDir = join(chartDir, 'dashboards')

function panelsOf({ rows }: BoardSpec): readonly PanelSpec[] {
  return rows.flatMap(({ panels }) => panels)
}

/** Every query as Prometheus gets it, with where it stands. */
const queries = boards.flatMap((board) =>
  panelsOf(board).flatMap(({ title, queries: byLegend }) =>
    Object.entries(byLegend).map(([legend, expr]) => ({ where: `${board.uid}: ${title}`, legend, expr: plain(expr) })),
  ),
)

/** Grafana's variables as they are replaced when somebody looks. */
function plain(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll('$brand', 'acme')
}

const recorded: SeriesLabels = new Map(
  readRules().flatMap(({ record }) => (record === undefined ? [] : [[record, new Set<string>()]])),
)
const known: SeriesLabels = new Map([...knownSeries(), ...recorded])

test('every metric and label that a dashboard names is printed by a service', () => {
  assert.ok(queries.length > 90)
  const wrong = queries.flatMap(({ where, expr }) =>
    judgeQuery(expr, known).map((complaint) => `${where}: ${complaint}`),
  )
  const variables = boards.flatMap(({ uid, brandsOf }) =>
    brandsOf === undefined || known.get(brandsOf)?.has('brand') === true ? [] : [`${uid}: ${brandsOf} has no brands`],
  )
  assert.deepEqual([...wrong, ...variables], [])
})

test('a legend names only labels that are left after its query has summed', () => {
  for (const { where, legend, expr } of queries) {
    const groups = readQuery(expr).groupings.flatMap(({ labels }) => labels)
    for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g))
      assert.ok(groups.includes(label), `${where}: {{${label}}}`)
  }
})

test('the files of the chart are what the dashboards are now', () => {
  const files = dashboardFiles()
  assert.deepEqual(globSync('*.json', { cwd: dashboardsDir }).sort(), [...files.keys()].sort())
  for (const [name, text] of files)
    assert.equal(readFileSync(join(dashboardsDir, name), 'utf8'), text, `${name}: npm run write -w charts`)
})

test('every runbook that a panel names is there', () => {
  for (const panel of boards.flatMap(panelsOf))
    for (const [path] of panel.description.matchAll(/docs\/runbooks\/[a-z-]+\.md/g))
      assert.ok(readFileSync(join(root, path), 'utf8').length > 0)
})

test('promtool takes every query', { skip: promtool === undefined }, () => {
  assert.ok(promtool)
  using folder = tempDir('queries')
  const file = join(folder.path, 'queries.yaml')
  const rules = queries.map(({ expr }, index) => ({ record: `query:${index}`, expr }))
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }))
  assert.equal(complaintOf(promtool, ['check', 'rules', '--lint=none', file]), undefined)
})
