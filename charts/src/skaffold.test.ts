import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { makeSecrets } from './secrets.ts'
import { hasGo, readForeign } from './testing/foreign.ts'
import { findHelm, render, root } from './testing/helm.ts'
import { componentOf, ofKind, workloadsOf } from './testing/objects.ts'

interface Release {
  readonly chartPath: string
  readonly namespace: string
  readonly valuesFiles: readonly string[]
  readonly setValueTemplates: Readonly<Record<string, string>>
}

interface Skaffold {
  readonly build: {
    readonly artifacts: readonly {
      readonly image: string
      readonly docker: { readonly dockerfile: string; readonly buildArgs: { readonly SERVICE: string } }
    }[]
  }
  readonly deploy: {
    readonly helm: {
      readonly releases: readonly Release[]
      readonly hooks?: { readonly before: readonly { readonly host: { readonly command: readonly string[] } }[] }
    }
  }
  readonly portForward?: readonly { readonly resourceName: string; readonly port: number }[]
  readonly verify?: readonly { readonly container: { readonly image: string } }[]
  readonly profiles: readonly (Partial<Skaffold> & { readonly name: string; readonly patches: readonly Patch[] })[]
}

interface Patch {
  readonly op: string
  readonly path: string
  readonly value: unknown
}

const skaffold = parse(readFileSync(join(root, 'skaffold.yaml'), 'utf8')) as Skaffold

/** The configuration with a profile on: its sections, and its patches one after the other. */
function withProfile({ patches, name: _name, ...sections }: Skaffold['profiles'][number]): Skaffold {
  const whole = structuredClone({ ...skaffold, ...sections, build: { ...skaffold.build, ...sections.build } })
  for (const { op, path, value } of patches) {
    const keys = path.split('/').slice(1)
    const last = keys.pop() ?? ''
    const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, { ...whole })
    assert.equal(last in parent, op === 'replace', `${op} ${path}`)
    parent[last] = value
  }
  return whole
}

const profiles = new Map(skaffold.profiles.map((profile) => [profile.name, withProfile(profile)]))

test('skaffold.yaml is of the schema that skaffold publishes, with each profile on', { skip: !hasGo() }, () => {
  const schema: unknown = JSON.parse(readForeign('skaffold', 'docs-v2/content/en/schemas/v4beta13.json'))
  const validate = new Ajv({ strict: false }).compile(schema as object)
  for (const [name, whole] of [['none', skaffold] as const, ...profiles]) {
    assert.ok(validate(whole), `${name}: ${JSON.stringify(validate.errors?.slice(0, 3))}`)
  }
  assert.ok(!validate({ ...skaffold, deplpoy: {} }), 'a typo passes')
})

test('the profiles are dev, ci and prod', () => {
  assert.deepEqual([...profiles.keys()], ['dev', 'ci', 'prod'])
})

test('every path is there, and what is run can be run', () => {
  for (const { build, deploy } of profiles.values()) {
    for (const { docker } of build.artifacts) assert.ok(existsSync(join(root, docker.dockerfile)))
    for (const { chartPath, valuesFiles } of deploy.helm.releases)
      for (const path of [chartPath, ...valuesFiles]) assert.ok(existsSync(join(root, path)), path)
    for (const { host } of deploy.helm.hooks?.before ?? [])
      assert.ok(statSync(join(root, host.command[0] ?? '')).mode & 0o100, host.command[0])
  }
})

describe('skaffold and the chart', { skip: findHelm() === undefined }, () => {
  const helm = findHelm() ?? ''
  const components = workloadsOf(helm === '' ? [] : render(helm, ['values-dev.yaml'])).filter(
    ({ kind }) => kind !== 'Job',
  )

  test('build one image per workload, by its name', () => {
    const built = skaffold.build.artifacts.map(({ image, docker }) => [image, docker.buildArgs.SERVICE])
    assert.deepEqual(built.sort(), components.map((one) => [`stampede/${componentOf(one)}`, componentOf(one)]).sort())
  })

  test('give every workload the image that was built for it', () => {
    for (const { deploy } of profiles.values())
      for (const { setValueTemplates } of deploy.helm.releases) {
        const images = Object.entries(setValueTemplates).filter(([key]) => key.endsWith('.image'))
        const sets = images.map(([key, template]) => {
          const name = /^\{\{\.IMAGE_FULLY_QUALIFIED_(\w+)\}\}$/.exec(template)?.[1] ?? ''
          return `${key}=built/${name.replaceAll('_', '-')}`
        })
        for (const workload of workloadsOf(render(helm, ['values-dev.yaml'], sets)))
          for (const { name, image } of workload.spec.template.spec.containers)
            assert.equal(image, `built/stampede-${name}`)
      }
  })

  test('every port that is forwarded is a Service of the development installation', () => {
    const services = ofKind(render(helm, ['values-dev.yaml']), 'Service')
    for (const { resourceName, port } of profiles.get('dev')?.portForward ?? []) {
      const service = services.find(({ metadata }) => metadata.name === resourceName)
      const { ports } = (service?.spec ?? { ports: [] }) as { readonly ports: readonly { readonly port: number }[] }
      assert.ok(
        ports.some((one) => one.port === port),
        resourceName,
      )
    }
  })

  test('the Secrets that prepare.sh makes are all that the installation names', () => {
    const made = new Map(
      makeSecrets({ postgres: 'p', nats: 'n', clickhouse: 'c', sandboxHosts: ['h'] }).map((secret) => [
        secret.metadata.name,
        Object.keys(secret.stringData),
      ]),
    )
    for (const { spec } of workloadsOf(render(helm, ['values-dev.yaml']))) {
      const { containers, volumes = [] } = spec.template.spec
      for (const { valueFrom } of containers.flatMap(({ env = [] }) => env)) {
        const { name, key } = valueFrom?.secretKeyRef ?? { name: '', key: '' }
        if (valueFrom !== undefined) assert.ok(made.get(name)?.includes(key), `${name}/${key}`)
      }
      for (const { secret } of volumes)
        if (secret !== undefined && secret.optional !== true) assert.ok(made.has(secret.secretName), secret.secretName)
    }
  })
})
