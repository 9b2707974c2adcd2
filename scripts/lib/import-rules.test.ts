import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { findViolations, linesMax } from './import-rules.ts'
import { root } from './suites.ts'

const patterns = [
  '{packages,services,loadtests}/*/src/**/*.{ts,js,mjs,sql}',
  'charts/src/**/*.ts',
  'operator/src/**/*.{ts,js,mjs}',
  'demo/src/**/*.{ts,js,mjs}',
  'scripts/**/*.{ts,mjs}',
  'proto/stampede/**/*.proto',
]

test('every file of the repository keeps the rules', () => {
  const found = globSync(patterns, { cwd: root }).map((path) => path.split(sep).join('/'))
  // This file holds what is forbidden, as examples.
  const paths = found.filter((path) => path !== 'scripts/lib/import-rules.test.ts')
  assert.ok(paths.length > 400, `only ${paths.length} files were found`)
  const files = paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  assert.deepEqual(findViolations(files), [])
})

/** A small repository around the file under test, so that the names of all workspaces are known. */
const others = [
  'packages/platform/src/index.ts',
  'services/ledger/src/index.ts',
  'services/geo/src/index.ts',
  'loadtests/sandbox/src/index.ts',
  'operator/src/index.ts',
  'demo/src/main.ts',
].map((path) => ({ path, text: '' }))

function brokenBy(path: string, text: string): readonly string[] {
  return findViolations([...others, { path, text }]).map(({ rule }) => rule)
}

const upward = 'packages import no service, no operator, no demo and no load test'
const sideways = 'services do not import each other'
const deep = 'another workspace is imported by its exports'
const impure = 'domain/ is pure: no store, no rpc, no http, no jobs, no input or output'
const kernel = "the operator's kernel knows nothing of what it is used for"
const environment = 'only config.ts reads the environment'

const broken: readonly (readonly [path: string, text: string, rules: readonly string[]])[] = [
  ['packages/platform/src/a.ts', "import { service } from '@stampede/ledger'", [upward]],
  ['packages/platform/src/a.ts', "import type { Sandbox } from '@stampede/sandbox/testing'", [upward]],
  ['packages/platform/src/a.ts', "const demo = await import('@stampede/demo')", [upward]],
  ['packages/platform/src/a.ts', "export { x } from '../../../services/ledger/src/index.ts'", [upward, deep]],
  ['services/geo/src/a.ts', "import {\n  service,\n} from '@stampede/ledger'", [sideways]],
  ['services/geo/src/a.ts', "import '../../ledger/src/index.ts'", [sideways, deep]],
  ['services/geo/src/a.ts', "import { x } from '@stampede/platform/src/ids.ts'", [deep]],
  ['demo/src/a.ts', 'import { x } from "@stampede/proto/gen/x.ts"', [deep]],
  ['demo/src/a.ts', "import { x } from '../../scripts/lib/suites.ts'", [deep]],
  ['services/geo/src/domain/a.ts', "import { x } from '../store/stores.ts'", [impure]],
  ['services/geo/src/domain/deep/a.ts', "import { x } from '../../rpc/get.ts'", [impure]],
  ['services/geo/src/domain/a.ts', "import type { x } from '../http/web.ts'", [impure]],
  ['services/geo/src/domain/a.ts', "import { x } from '../jobs/follow.ts'", [impure]],
  ['services/geo/src/domain/a.ts', "import { readFileSync } from 'node:fs'", [impure]],
  ['services/geo/src/domain/a.ts', "import { connect } from 'node:net'", [impure]],
  ['services/geo/src/domain/a.ts', "import { request } from 'node:http'", [impure]],
  ['services/geo/src/domain/a.ts', "import { Pool } from 'pg'", [impure]],
  ['services/geo/src/domain/a.ts', "import { connect } from '@nats-io/transport-node'", [impure]],
  ['operator/src/domain/a.ts', "import { connect } from 'node:net'", [impure]],
  ['operator/src/kernel/a.ts', "import { issue } from '../apple/issue.ts'", [kernel]],
  ['packages/platform/src/a.ts', "import { KubeError } from '@stampede/operator'", [upward]],
  ['services/geo/src/a.ts', "import { KubeError } from '@stampede/operator'", [sideways]],
  ['services/geo/src/a.ts', 'x\n'.repeat(linesMax + 1), [`a file has at most ${linesMax} lines`]],
  ['services/geo/src/a.ts', "const url = process.env['X']", [environment]],
  ['services/geo/src/a.ts', 'const { env } = process', [environment]],
  ['packages/pkpass/src/a.ts', "const url = process['env'].X", [environment]],
]

for (const [path, text, rules] of broken) {
  test(`${path} may not hold: ${text.slice(0, 70).replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(brokenBy(path, text), rules)
  })
}

const allowed: readonly (readonly [path: string, text: string])[] = [
  ['services/geo/src/a.ts', "import { x } from '@stampede/platform'\nimport { y } from '@stampede/proto/geo/v1'"],
  ['services/geo/src/a.test.ts', "import { startTestSandbox } from '@stampede/sandbox/testing'"],
  ['services/geo/src/a.ts', "// import { x } from '@stampede/ledger'\n/** As from '@stampede/ledger'. */"],
  ['services/geo/src/domain/a.ts', "import { createHash } from 'node:crypto'\nimport { x } from './b.ts'"],
  ['services/geo/src/domain/a.test.ts', "import { readFileSync } from 'node:fs'"],
  ['operator/src/testing/a.ts', "import { findTool } from '../../../scripts/tools/find.ts'"],
  ['operator/src/kernel/a.test.ts', "import { startKubeServer } from '../testing/kube-server.ts'"],
  ['services/geo/src/rpc/a.ts', "import { x } from '../store/stores.ts'"],
  ['services/geo/src/a.ts', 'x\n'.repeat(linesMax)],
  ['charts/src/testing/a.ts', "import { findTool } from '../../../scripts/tools/find.ts'"],
  ['services/geo/src/config.ts', "const url = process.env['X']"],
  ['demo/src/a.ts', "import { x } from '@stampede/ledger'\nconst env = process.env"],
]

for (const [path, text] of allowed) {
  test(`${path} may hold: ${text.slice(0, 70).replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(brokenBy(path, text), [])
  })
}
