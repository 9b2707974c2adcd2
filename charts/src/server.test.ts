import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findKubePrograms, type KubeServer, startKubeServer } from '@stampede/operator/testing'
import { Cluster } from './testing/cluster.ts'
import { foreignDefinitions, hasGo } from './testing/foreign.ts'
import { findHelm, installations, namespace, render, root } from './testing/helm.ts'
import { type KubeObject, ofKind, parseObjects } from './testing/objects.ts'

const helm = findHelm()
const programs = findKubePrograms()
const skip = helm === undefined || programs === undefined || !hasGo()

/** Everything that can be switched on, and is not in an installation. */
const everything = [
  'tls.existingSecret=tls',
  'tls.http=true',
  'monitoring.podMonitor.enabled=true',
  'geo.hpa.enabled=true',
  'geo.podDisruptionBudget.minAvailable=50%',
  'geo.tolerations[0].operator=Exists',
  'geo.nodeSelector.pool=stampede',
  'geo.priorityClassName=high',
  'geo.podAnnotations.owner=sre',
  'imagePullSecrets[0].name=registry',
  'postgres.cluster.enabled=true',
  'postgres.cluster.storage.storageClass=fast',
  'postgres.cluster.extraSpec.monitoring.enablePodMonitor=true',
  'extraObjects[0].apiVersion=v1',
  'extraObjects[0].kind=ConfigMap',
  'extraObjects[0].metadata.name=extra',
]

describe('a real API server takes every object', { skip }, () => {
  let server: KubeServer
  let cluster: Cluster

  before(async () => {
    server = await startKubeServer(programs)
    cluster = new Cluster(server)
    await server.createNamespace(namespace)
    const own = ofKind(render(helm ?? '', []), 'CustomResourceDefinition')
    for (const definition of [...foreignDefinitions(), ...own]) await cluster.define(definition)
  })

  after(() => server?.[Symbol.asyncDispose]())

  async function refusedOf(objects: readonly KubeObject[]): Promise<readonly string[]> {
    const refused: string[] = []
    for (const object of objects) {
      const { status, message } = await cluster.apply(object, namespace, { dryRun: true })
      if (status > 201) refused.push(`${object.kind} ${object.metadata.name}: ${message}`)
    }
    return refused
  }

  for (const [name, files] of Object.entries(installations)) {
    test(`of ${name}`, async () => {
      const objects = render(helm ?? '', files)
      assert.ok(objects.length > 30)
      assert.deepEqual(await refusedOf(objects), [])
    })
  }

  test('of the engines for development', async () => {
    const engines = parseObjects(readFileSync(join(root, 'charts', 'dev', 'engines.yaml'), 'utf8'))
    assert.deepEqual(await refusedOf(engines), [])
  })

  test('of an installation with everything on', async () => {
    assert.deepEqual(await refusedOf(render(helm ?? '', [], everything)), [])
  })

  test('and would refuse a field that nobody knows, in kinds of its own and of others', async () => {
    const objects = render(helm ?? '', ['values-large.yaml'])
    for (const kind of ['Deployment', 'NetworkPolicy', 'ServiceMonitor', 'ScaledObject', 'Cluster', 'PrometheusRule']) {
      const [object] = ofKind(objects, kind)
      assert.ok(object !== undefined, kind)
      const refused = await refusedOf([{ ...object, spec: { ...object.spec, misspelt: true } }])
      assert.match(refused[0] ?? '', /unknown field|field not declared/, kind)
    }
  })
})
