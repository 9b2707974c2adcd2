import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { readRules, ruleFiles } from './alerts.ts'
import { knownSeries, type SeriesLabels, services } from './queries/catalogue.ts'
import { judgeQuery } from './queries/judge.ts'
import { root } from './testing/helm.ts'
import { complaintOf, findProgram } from './testing/promtool.ts'

const testsDir = fileURLToPath(new URL('../alerts-tests', import.meta.url))
const promtool = findProgram('promtool')
const rules = readRules()
const alerts = rules.filter(({ alert }) => alert !== undefined)
const names = [...new Set(alerts.map(({ alert }) => alert))].sort()

/** What recording rules make, without the labels of what they are made of. */
const recorded: SeriesLabels = new Map(
  rules.flatMap(({ record }) => (record === undefined ? [] : [[record, new Set()]])),
)

test('every metric and label that a rule names is printed by a service', () => {
  const known = new Map([...knownSeries(), ...recorded])
  const wrong = rules.flatMap(({ file, expr, alert, record }) =>
    judgeQuery(expr, known).map((complaint) => `${file}: ${alert ?? record}: ${complaint}`),
  )
  assert.deepEqual(wrong, [])
})

test('a rule that asks for what nobody prints is found', () => {
  const known = knownSeries()
  const cases: readonly (readonly [string, string])[] = [
    ['stampede_ledger_no_such_total > 0', 'no service prints stampede_ledger_no_such_total'],
    ['stampede_ledger_queued_items{brand="a"}', 'stampede_ledger_queued_items has no label brand'],
    ['sum by (brand) (stampede_ledger_queued_items)', 'is grouped by brand, which not all that it takes together has'],
    ['max({__name__=~"stampede_.+_no_such"})', 'no service prints ^(?:stampede_.+_no_such)$'],
  ]
  for (const [expr, complaint] of cases) assert.deepEqual(judgeQuery(expr, known), [complaint])
  assert.throws(() => judgeQuery('sum by (job (up)', known), /no PromQL/)
})

test('every alert says how bad it is, what happens, and where it is written what to do', () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.match(alert ?? '', /^Stampede[A-Z][A-Za-z]+$/)
    assert.match(labels?.['severity'] ?? '', /^(page|ticket)$/, alert)
    for (const field of ['summary', 'description']) assert.ok((annotations?.[field] ?? '') !== '', `${alert}: ${field}`)
    const kebab = (alert ?? '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
    assert.equal(annotations?.['runbook_url'], `docs/runbooks/${kebab}.md`)
  }
})

test('a service that can be watched is missed when it is down', () => {
  const down = alerts.find(({ alert }) => alert === 'StampedeTargetDown')
  for (const service of services) assert.match(down?.expr ?? '', new RegExp(`[|"]${service}[|"]`))
})

test('the page on observability names every alert with its runbook', () => {
  const page = readFileSync(join(root, 'docs', 'observability.md'), 'utf8')
  for (const { alert, annotations } of alerts)
    assert.ok(page.includes(`| [${alert}](${annotations?.['runbook_url']?.replace('docs/', '')}) `), alert)
})

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
  }[]
}

test('every alert has a test in which it fires, and one in which it does not', () => {
  const cases = globSync('*.test.yaml', { cwd: testsDir }).flatMap((file) => {
    const { tests }: RuleTests = parse(readFileSync(join(testsDir, file), 'utf8'))
    return tests.flatMap((one) => one.alert_rule_test)
  })
  const named = (fires: boolean) =>
    [...new Set(cases.filter((one) => one.exp_alerts.length > 0 === fires).map((one) => one.alertname))].sort()
  assert.deepEqual(named(true), names)
  assert.deepEqual(named(false), names)
})

test('promtool takes every file of rules', { skip: promtool === undefined }, () => {
  assert.ok(promtool)
  for (const file of ruleFiles()) assert.equal(complaintOf(promtool, ['check', 'rules', file]), undefined)
})

for (const file of globSync('*.test.yaml', { cwd: testsDir }).sort())
  test(`the alerts of ${basename(file, '.test.yaml')} fire when they should, and only then`, {
    skip: promtool === undefined,
  }, () => {
    assert.ok(promtool)
    assert.equal(complaintOf(promtool, ['test', 'rules', join(testsDir, file)]), undefined)
  })
