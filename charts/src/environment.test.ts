import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { findHelm, installations, render, root } from './testing/helm.ts'
import { type Container, type KubeObject, ofKind, workloadsOf } from './testing/objects.ts'

const helm = findHelm()
const platformConfig = 'packages/platform/src/platform-config.ts'

/**
 * Variables that the chart leaves alone: files of the embedded engines and of a developer's own cluster, a limit of
 * tests, the pod's name, and paces whose defaults serve (`env` of the workload says otherwise).
 */
const leftAlone: ReadonlySet<string> = new Set([
  'STAMPEDE_DATA_DIR',
  'STAMPEDE_OPERATOR_KUBECONFIG',
  'STAMPEDE_SANDBOX_GOOGLE_PER_SECOND',
  'STAMPEDE_OPERATOR_IDENTITY',
  'STAMPEDE_OPERATOR_LEASE_SECONDS',
  'STAMPEDE_OPERATOR_SETTLE_SECONDS',
  'STAMPEDE_OPERATOR_RETRY_SECONDS',
  'STAMPEDE_OPERATOR_MANUAL_POLL_SECONDS',
])

/** The files that read the environment of a container. */
function readersOf(component: string): readonly string[] {
  if (component === 'sandbox') return ['loadtests/sandbox/src/main.ts']
  const own = component === 'operator' ? 'operator/src/config.ts' : `services/${component}/src/config.ts`
  return [platformConfig, own]
}

function namesIn(file: string): readonly string[] {
  const found = readFileSync(join(root, file), 'utf8').matchAll(/'(STAMPEDE_[A-Z0-9_]+)'/g)
  return [...new Set([...found].map(([, name = '']) => name))]
}

function renderedNames(container: Container, objects: readonly KubeObject[]): readonly string[] {
  const maps = (container.envFrom ?? []).map(({ configMapRef }) => configMapRef.name)
  const shared = ofKind(objects, 'ConfigMap').filter(({ metadata }) => maps.includes(metadata.name))
  return [...(container.env ?? []).map(({ name }) => name), ...shared.flatMap(({ data = {} }) => Object.keys(data))]
}

describe('the environment of every container', { skip: helm === undefined }, () => {
  /** Everything on: what is rendered nowhere else. */
  const everything = [
    'tls.existingSecret=tls',
    'allowedOrigins={https://console.example}',
    'passRender.googleRootKeysUrl=https://k.example',
    'operator.ingress.enabled=true',
  ]
  const renders = Object.values(installations).map((files) =>
    helm === undefined ? [] : render(helm, files, everything),
  )
  const rendered = new Map<string, Set<string>>()
  for (const objects of renders)
    for (const { name, ...container } of workloadsOf(objects).flatMap(({ spec }) => spec.template.spec.containers)) {
      const names = rendered.get(name) ?? new Set()
      for (const variable of renderedNames({ name, ...container }, objects)) names.add(variable)
      rendered.set(name, names)
    }

  for (const [component, names] of rendered) {
    const readers = readersOf(component)
    const skip = readers.some((file) => !existsSync(join(root, file))) && 'its code is not there'

    test(`${component}: nothing is set that the code does not read`, { skip }, () => {
      const read = new Set(readers.flatMap(namesIn))
      assert.deepEqual(
        [...names].filter((name) => !read.has(name)),
        [],
      )
    })

    test(`${component}: everything can be set that its code alone reads`, { skip }, () => {
      const own = readers.filter((file) => file !== platformConfig).flatMap(namesIn)
      assert.deepEqual(
        own.filter((name) => !names.has(name) && !leftAlone.has(name)),
        [],
      )
    })
  }

  test('everything that all services read is set somewhere', () => {
    const all = new Set([...rendered.values()].flatMap((names) => [...names]))
    assert.deepEqual(
      namesIn(platformConfig).filter((name) => !all.has(name) && !leftAlone.has(name)),
      [],
    )
  })
})

test('consumers that an autoscaler asks about are those of the code', { skip: helm === undefined }, () => {
  const jobs = readFileSync(join(root, 'services/pass-render/src/jobs/index.ts'), 'utf8')
  const known = [...jobs.matchAll(/name: '([a-z]+)',\s*stream: '([A-Z_]+)'/g)].map(
    ([, name, stream]) => `${stream} pass-render-${name}`,
  )
  assert.ok(known.length >= 5)
  const scaled = ofKind(helm === undefined ? [] : render(helm, ['values-large.yaml']), 'ScaledObject')
  const triggers = scaled.flatMap(
    ({ spec }) => spec?.['triggers'] as readonly { readonly type: string; readonly metadata: Record<string, string> }[],
  )
  const asked = triggers
    .filter(({ type }) => type === 'nats-jetstream')
    .map(({ metadata }) => `${metadata['stream']} ${metadata['consumer']}`)
  assert.ok(asked.length >= 3)
  assert.deepEqual(
    asked.filter((one) => !known.includes(one)),
    [],
  )
})
