import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findKubePrograms, startKubeServer } from '@stampede/operator/testing'
import { until } from '@stampede/platform/testing'
import { makeSecrets } from './secrets.ts'
import { Cluster } from './testing/cluster.ts'
import { findHelm, namespace, render } from './testing/helm.ts'
import { buildImage } from './testing/image.ts'
import { componentOf, ofKind } from './testing/objects.ts'
import { readPage, startPod } from './testing/pod.ts'

const helm = findHelm()
const programs = findKubePrograms()
const name = 'stampede-operator'

test("the operator's image leads under the Role that the chart gives it", { skip: !helm || !programs }, async () => {
  const objects = render(helm ?? '', ['values-small.yaml'])
  await using server = await startKubeServer(programs)
  using image = buildImage('operator')
  const cluster = new Cluster(server)
  await server.createNamespace(namespace)
  for (const definition of ofKind(objects, 'CustomResourceDefinition')) await cluster.define(definition)
  const rights = objects.filter((one) => componentOf(one) === 'operator' && /^Role|^ServiceAccount$/.test(one.kind))
  assert.equal(rights.length, 3)
  for (const right of rights) assert.ok((await cluster.apply(right, namespace, { dryRun: false })).status <= 201)

  const account = await server.serviceAccountConfig({ namespace, name })
  const kubeconfig = join(image.files, 'kubeconfig')
  writeFileSync(kubeconfig, account.exportConfig(), { mode: 0o644 })
  const more = { STAMPEDE_OPERATOR_KUBECONFIG: kubeconfig, STAMPEDE_OPERATOR_LEASE_SECONDS: '3' }
  const secrets = makeSecrets({ postgres: 'p', nats: 'n', clickhouse: 'c' })
  await using operator = await startPod({ objects, component: 'operator', image, secrets, more })
  const holder = async (): Promise<unknown> => {
    const lease = await cluster.read(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } },
      namespace,
    )
    return (lease['spec'] as { readonly holderIdentity?: string } | undefined)?.holderIdentity
  }

  await until('it has the lease', async () => Boolean(await holder()))
  await until('it leads', async () => {
    return /^stampede_operator_leader_count 1$/m.test((await readPage(operator.ready, '/metrics')).body)
  })
  assert.equal((await readPage(operator.ready, '/ready')).status, 200)
  assert.equal(await operator.end('SIGTERM'), 0)
  assert.equal((await holder()) ?? '', '', 'it gives its lease back')
})
