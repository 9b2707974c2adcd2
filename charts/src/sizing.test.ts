import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { findHelm, installations, render, root } from './testing/helm.ts'
import { componentOf, type KubeObject, type Labels, ofKind, workloadsOf } from './testing/objects.ts'

const helm = findHelm()

function numberIn(file: string, pattern: RegExp): number {
  const text = pattern.exec(readFileSync(join(root, file), 'utf8'))?.[1]
  assert.ok(text !== undefined, `${file}: ${pattern}`)
  return Number(text)
}

const usual = numberIn('packages/platform/src/database.ts', /const defaultPoolSize = (\d+)/)
const passRender = numberIn('services/pass-render/src/service.ts', /const POOL_SIZE = (\d+)/)
/** The relay of an outbox has a connection of its own. */
const relay = 1
/** The nightly check of the ledger too. */
const check = 1

/** Connections to PostgreSQL of one replica at most; the ledger's pool is what the chart tells it. */
function connectionsOf(component: string, ledgerPool: number): number {
  if (component === 'push-dispatcher' || component === 'operator' || component === 'sandbox') return 0
  if (component === 'ledger') return ledgerPool + relay + check
  if (component === 'pass-render') return passRender + relay
  return usual + relay
}

function replicasMax(objects: readonly KubeObject[], name: string, replicas: number | undefined): number {
  const scaler = objects.find(
    ({ kind, metadata }) => /^(HorizontalPodAutoscaler|ScaledObject)$/.test(kind) && metadata.name === name,
  )
  return Number(scaler?.spec?.['maxReplicas'] ?? scaler?.spec?.['maxReplicaCount'] ?? replicas)
}

describe('PostgreSQL of the chart takes all connections', { skip: helm === undefined }, () => {
  for (const name of ['large', 'black-friday'])
    test(`of ${name}, scaled out to the limit and in the middle of a rollout`, () => {
      const objects = render(helm ?? '', installations[name] ?? [])
      let sum = 0
      for (const workload of workloadsOf(objects).filter(({ kind }) => kind === 'Deployment')) {
        const { containers } = workload.spec.template.spec
        const pool = containers[0]?.env?.find((one) => one.name === 'STAMPEDE_LEDGER_POOL_SIZE')?.value
        const surge = 1
        const replicas = replicasMax(objects, workload.metadata.name, workload.spec.replicas) + surge
        sum += replicas * connectionsOf(componentOf(workload), Number(pool))
      }
      const [cluster] = ofKind(objects, 'Cluster') as readonly (KubeObject & {
        readonly spec: { readonly postgresql: { readonly parameters: Labels } }
      })[]
      const limit = Number(cluster?.spec.postgresql.parameters['max_connections'])
      const spare = 10
      assert.ok(sum <= limit - spare, `${sum} of ${limit}`)
      assert.ok(sum > limit / 2, `${sum} of ${limit}: the limit is twice what is needed`)
    })
})
