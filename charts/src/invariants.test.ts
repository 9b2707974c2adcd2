import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { chartDir, findHelm, installations, namespace, render, root } from './testing/helm.ts'
import {
  type Container,
  componentOf,
  type KubeObject,
  type Labels,
  ofKind,
  parseObjects,
  type Workload,
  workloadsOf,
} from './testing/objects.ts'

const helm = findHelm()
const nameLabels = ['name', 'instance', 'component'].map((part) => `app.kubernetes.io/${part}`)
const allLabels = ['name', 'instance', 'version', 'part-of', 'managed-by'].map((part) => `app.kubernetes.io/${part}`)

/** A number that the code declares, in its own unit; products such as `10 * 60_000` are worked out. */
function constantOf(file: string, name: string): number {
  const text = new RegExp(`const ${name} = ([\\d_ *]+)`).exec(readFileSync(join(root, file), 'utf8'))?.[1]
  assert.ok(text !== undefined, `${file} declares no ${name}`)
  return text.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '').trim()), 1)
}

function containersOf(workload: Workload): readonly Container[] {
  return workload.spec.template.spec.containers
}

function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}

for (const [name, files] of Object.entries(installations)) {
  describe(`every object of ${name}`, { skip: helm === undefined }, () => {
    const objects = helm === undefined ? [] : render(helm, files)
    const workloads = workloadsOf(objects)
    const deployments = workloads.filter(({ kind }) => kind === 'Deployment')

    test('has the standard labels and a name of its own', () => {
      for (const { kind, metadata } of objects)
        for (const label of allLabels) assert.ok(metadata.labels?.[label], `${kind} ${metadata.name} has no ${label}`)
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      assert.equal(new Set(names).size, names.length)
    })

    test('is no Secret: they are named, never made', () => {
      assert.deepEqual(ofKind(objects, 'Secret'), [])
      for (const { env = [], name: container } of workloads.flatMap(containersOf))
        for (const { name: variable, value } of env)
          if (/_KEY$|POSTGRES_URL|NATS_URL|CLICKHOUSE_URL/.test(variable) && value !== undefined)
            assert.match(value, /^\//, `${container} has ${variable} in clear`)
    })

    test('runs as nobody, on a root that cannot be written, without capabilities', () => {
      for (const workload of workloads) {
        const { securityContext } = workload.spec.template.spec
        assert.equal(securityContext['runAsNonRoot'], true)
        assert.ok(Number(securityContext['runAsUser']) > 0)
        assert.deepEqual(securityContext['seccompProfile'], { type: 'RuntimeDefault' })
        for (const { securityContext: own = {} } of containersOf(workload)) {
          assert.equal(own['allowPrivilegeEscalation'], false)
          assert.equal(own['readOnlyRootFilesystem'], true)
          assert.deepEqual(own['capabilities'], { drop: ['ALL'] })
        }
      }
    })

    test('has no token of Kubernetes, but for the operator, and an account of its own', () => {
      for (const workload of workloads) {
        const { spec } = workload.spec.template
        const isOperator = componentOf(workload) === 'operator'
        assert.equal(spec.automountServiceAccountToken, isOperator, workload.metadata.name)
        assert.equal(spec.enableServiceLinks, false)
        if (workload.kind === 'Job') continue
        const account = ofKind(objects, 'ServiceAccount').find(
          ({ metadata }) => metadata.name === spec.serviceAccountName,
        )
        assert.equal(
          (account as { readonly automountServiceAccountToken?: boolean }).automountServiceAccountToken,
          isOperator,
        )
      }
    })

    test('asks for CPU and memory, and is limited in memory alone', () => {
      for (const { resources, name: container } of workloads.flatMap(containersOf)) {
        assert.ok(resources?.requests?.['cpu'] && resources.requests['memory'], container)
        assert.ok(resources.limits?.['memory'], container)
        assert.equal(resources.limits['cpu'], undefined, container)
      }
    })

    test('gives the operator the Role that its tests run under, and nobody else any', () => {
      const [role, ...more] = ofKind(objects, 'Role') as readonly (KubeObject & { readonly rules?: unknown })[]
      assert.equal(more.length, 0)
      const tested = parseObjects(readFileSync(join(root, 'operator', 'rbac.yaml'), 'utf8'))
      assert.deepEqual(role?.rules, (tested[0] as { readonly rules?: unknown }).rules)
      const [binding] = ofKind(objects, 'RoleBinding') as readonly (KubeObject & { readonly subjects?: unknown })[]
      const name = 'stampede-operator'
      assert.deepEqual(binding?.subjects, [{ kind: 'ServiceAccount', name, namespace }])
      assert.deepEqual(
        objects.filter(({ kind }) => kind.startsWith('ClusterRole')),
        [],
      )
    })

    test('is an image of this version', () => {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }
      for (const { name: container, image } of workloads.flatMap(containersOf))
        assert.equal(image, `stampede/${container}:${version}`)
      assert.match(readFileSync(join(chartDir, 'Chart.yaml'), 'utf8'), new RegExp(`^appVersion: ${version}$`, 'm'))
    })

    test('selects its own pods by labels that never change', () => {
      for (const workload of deployments) {
        const selector = workload.spec.selector?.matchLabels ?? {}
        assert.deepEqual(Object.keys(selector), nameLabels)
        const found = deployments.filter((other) => matches(selector, other.spec.template.metadata.labels))
        assert.deepEqual(found, [workload])
      }
    })

    test('lives by its event loop, is ready by itself, and has time to migrate', () => {
      const migrationMs = constantOf('packages/platform/src/migrations.ts', 'statementTimeoutMs')
      for (const { startupProbe, livenessProbe, readinessProbe, ports = [] } of deployments.flatMap(containersOf)) {
        assert.ok(startupProbe && livenessProbe && readinessProbe)
        assert.ok(startupProbe.periodSeconds * startupProbe.failureThreshold * 1000 > migrationMs)
        const names = ports.map((port) => port.name)
        for (const probe of [startupProbe, livenessProbe, readinessProbe])
          assert.ok(names.includes(probe.httpGet?.port ?? probe.tcpSocket?.port ?? ''))
        if (livenessProbe.httpGet === undefined) continue
        assert.equal(livenessProbe.httpGet.path, '/live')
        assert.equal(startupProbe.httpGet?.path, '/live')
        assert.equal(readinessProbe.httpGet?.path, '/ready')
      }
    })

    test('has more time to end than it takes', () => {
      const stopMs = constantOf('packages/platform/src/service.ts', 'STOP_MS')
      for (const workload of deployments) {
        const { terminationGracePeriodSeconds = 0 } = workload.spec.template.spec
        for (const { lifecycle } of containersOf(workload)) {
          const sleepSeconds = lifecycle?.preStop?.sleep?.seconds ?? 0
          assert.ok(sleepSeconds >= 5)
          assert.ok(terminationGracePeriodSeconds * 1000 >= sleepSeconds * 1000 + stopMs + 5_000)
        }
      }
    })

    test('mounts what it has, and has what it mounts', () => {
      for (const workload of workloads) {
        const { volumes = [], containers } = workload.spec.template.spec
        const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts)
        assert.deepEqual(mounts.map((mount) => mount.name).sort(), volumes.map((volume) => volume.name).sort())
        for (const { secret } of volumes) if (secret) assert.equal(secret.defaultMode, 0o440)
        for (const { name: volume, readOnly } of mounts) assert.equal(readOnly ?? false, volume !== 'data')
      }
    })

    test('has 64 Secrets of certificates, all optional, where certificates are read', () => {
      for (const workload of deployments) {
        const { volumes = [], containers } = workload.spec.template.spec
        const shards = volumes.filter((volume) => volume.name.startsWith('shard-'))
        const reads = ['pass-render', 'push-dispatcher'].includes(componentOf(workload))
        assert.equal(shards.length, reads ? 64 : 0)
        for (const { name: shard, secret } of shards) {
          assert.equal(secret?.optional, true)
          assert.equal(secret.secretName, `stampede-credentials-${shard.slice(-2)}`)
          const mount = containers[0]?.volumeMounts?.find((one) => one.name === shard)
          assert.equal(mount?.mountPath, `/etc/stampede/credentials/${shard}`)
        }
      }
    })

    test('leads to a port that the pod has', () => {
      for (const service of ofKind(objects, 'Service')) {
        const { selector, ports } = service.spec as {
          readonly selector: Labels
          readonly ports: readonly { readonly targetPort: string }[]
        }
        const [workload, ...more] = deployments.filter((one) => matches(selector, one.spec.template.metadata.labels))
        assert.ok(workload !== undefined && more.length === 0, service.metadata.name)
        const names = containersOf(workload).flatMap((container) => container.ports?.map((port) => port.name))
        for (const { targetPort } of ports)
          assert.ok(names.includes(targetPort), `${service.metadata.name}: ${targetPort}`)
      }
    })

    test('is called at an address that is there', () => {
      const variables = deployments.flatMap(containersOf).flatMap(({ env = [] }) => env)
      const addresses = variables.filter((variable) => variable.name.endsWith('_ADDRESS'))
      assert.ok(addresses.length >= 2)
      for (const { value = '' } of addresses) {
        const [host = '', port] = value.split(':')
        const service = ofKind(objects, 'Service').find(({ metadata }) => metadata.name === host.split('.')[0])
        const { clusterIP, ports } = (service?.spec ?? {}) as {
          readonly clusterIP?: string
          readonly ports: readonly { readonly port: number }[]
        }
        assert.equal(clusterIP, 'None')
        assert.ok(ports.some((one) => String(one.port) === port))
      }
    })

    test('may be evicted one by one where there is more than one', () => {
      for (const workload of deployments) {
        const scaler = objects.find(
          ({ kind, metadata }) =>
            /^(HorizontalPodAutoscaler|ScaledObject)$/.test(kind) && metadata.name === workload.metadata.name,
        )
        assert.equal(workload.spec.replicas === undefined, scaler !== undefined, 'one decides about replicas')
        const least = Number(
          workload.spec.replicas ?? scaler?.spec?.['minReplicas'] ?? scaler?.spec?.['minReplicaCount'],
        )
        const budget = ofKind(objects, 'PodDisruptionBudget').find(
          ({ metadata }) => metadata.name === workload.metadata.name,
        )
        assert.equal(budget !== undefined, least > 1, workload.metadata.name)
        if (budget === undefined) continue
        assert.equal(budget.spec?.['unhealthyPodEvictionPolicy'], 'AlwaysAllow')
        const { minAvailable, maxUnavailable } = budget.spec as Record<string, number | undefined>
        assert.ok((maxUnavailable ?? least - (minAvailable ?? 0)) >= 1, 'a node could never be drained')
      }
    })

    test('spreads over zones and nodes', () => {
      for (const { spec, metadata } of deployments) {
        const spread = spec.template.spec.topologySpreadConstraints ?? []
        assert.deepEqual(
          spread.map((constraint) => constraint['topologyKey']),
          ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'],
          metadata.name,
        )
      }
    })

    test('may reach and be reached by those alone that are listed', () => {
      const policies = ofKind(objects, 'NetworkPolicy')
      const labelsOf = ({ spec = {} }: KubeObject): Labels =>
        (spec['podSelector'] as { readonly matchLabels: Labels }).matchLabels
      for (const { spec } of policies) assert.deepEqual(spec?.['policyTypes'], ['Ingress', 'Egress'])
      const deny = policies.find(({ metadata }) => metadata.name === 'stampede-deny')
      assert.deepEqual(Object.keys(deny?.spec ?? {}).sort(), ['podSelector', 'policyTypes'])
      for (const { spec, metadata } of workloads) {
        const own = policies.filter((policy) => matches(labelsOf(policy), spec.template.metadata.labels))
        assert.deepEqual(own.map((policy) => policy.metadata.name).sort(), ['stampede-deny', metadata.name].sort())
      }
    })
  })
}
