import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { readRules } from './alerts.ts'
import { knownSeries, type SeriesLabels } from './queries/catalogue.ts'
import { judgeQuery } from './queries/judge.ts'
import { root } from './testing/helm.ts'

const folder = join(root, 'docs', 'runbooks')
const rules = readRules()
const runbooks = globSync('*.md', { cwd: folder })
  .sort()
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))

function read(pattern: string): string {
  return globSync(pattern, { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
}

/** All that a pattern finds in the runbooks, with the runbook that it is in. */
function found(pattern: RegExp): readonly { readonly name: string; readonly groups: readonly string[] }[] {
  return runbooks.flatMap(({ name, text }) =>
    [...text.matchAll(pattern)].map(([, ...groups]) => ({ name, groups: groups.map((group) => group ?? '') })),
  )
}

test('every alert has a runbook, and every runbook an alert', () => {
  const wanted = rules.flatMap(({ annotations }) => annotations?.['runbook_url'] ?? [])
  assert.deepEqual(
    runbooks.map(({ name }) => `docs/runbooks/${name}`),
    [...new Set(wanted)].sort(),
  )
})

test('a runbook says what it means, who is hurt, how to look, what to do, and when it is over', () => {
  const headings = ['What it means', 'Who is hurt', 'Look', 'Do', 'Over when']
  for (const { name, text } of runbooks)
    assert.deepEqual(
      [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading),
      headings,
      name,
    )
})

test('every query of a runbook can be answered', () => {
  const recorded: SeriesLabels = new Map(
    rules.flatMap(({ record }) => (record === undefined ? [] : [[record, new Set()]])),
  )
  const known = new Map([...knownSeries(), ...recorded])
  const blocks = found(/```promql\n([^`]+)\n```/g)
  const inline = found(/(?<!`)`([^`\n]*stampede[_:][^`\n]*|[^`\n]*\(up\)[^`\n]*)`(?!`)/g)
  assert.ok(blocks.length > 40 && inline.length > 15)
  for (const { name, groups } of [...blocks, ...inline])
    assert.deepEqual(judgeQuery(groups[0] ?? '', known), [], `${name}: ${groups[0]}`)
})

test('every command of a runbook exists', () => {
  const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(read('package.json'))
  for (const { name, groups } of found(/npm run ([a-z-]+)/g)) assert.ok(scripts[groups[0] ?? ''], `${name}: ${groups}`)
  const usage = read('scripts/dead-letters.ts')
  for (const { groups } of found(/npm run dead-letters -- ([a-z]+)/g))
    assert.ok(usage.includes(`npm run dead-letters -- ${groups[0]} [`), `${groups}`)
})

test('every call of a runbook exists under its name and under its path', () => {
  const protos = read('proto/stampede/**/*.proto')
  const calls = found(/`(\w+)\/(\w+)` \(`(GET|PUT|POST|DELETE) ([^`]+)`\)/g)
  assert.ok(calls.length > 8)
  for (const { name, groups } of calls) {
    const [service = '', method = '', verb = '', path = ''] = groups
    const body = new RegExp(
      `service ${service} \\{[\\s\\S]*?rpc ${method}\\([\\s\\S]*?google\\.api\\.http\\) = \\{([^}]|\\{|\\})*?"`,
    )
    const bound = body.exec(protos)?.[0] ?? ''
    assert.ok(bound.endsWith(`${verb.toLowerCase()}: "`), `${name}: ${service}/${method}`)
    assert.ok(protos.includes(`${verb.toLowerCase()}: "${path}"`), `${name}: ${path}`)
  }
})

test('what a runbook looks for in a log is written by the code', () => {
  const code = read('{packages/*,services/*,operator}/src/**/*.ts')
  for (const { name, groups } of found(/grep (?:-E )?["']([^"']+)["']/g))
    for (const text of (groups[0] ?? '').split('|')) assert.ok(code.includes(text), `${name}: ${text}`)
})

test('every link of a runbook leads somewhere', () => {
  for (const { name, groups } of found(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
    assert.ok(existsSync(join(dirname(join(folder, name)), groups[0] ?? '')), `${name}: ${groups[0]}`)
})
