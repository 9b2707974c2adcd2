import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findHelm, runHelm, templateArgs } from './testing/helm.ts'

const helm = findHelm()

/** What is set, and the words that refuse it. */
const impossible: readonly (readonly [sets: readonly string[], words: string])[] = [
  [['passRender.webUrl='], 'passRender.webUrl is empty: passes carry the address that phones come back to'],
  [
    ['ledger.hpa.enabled=true', 'ledger.keda.enabled=true', 'ledger.keda.cpuPercent=70'],
    'ledger.hpa and ledger.keda are both enabled',
  ],
  [
    ['defaults.hpa.enabled=true', 'geo.keda.enabled=true', 'geo.keda.cpuPercent=70'],
    'geo.hpa and geo.keda are both enabled',
  ],
  [['geo.keda.enabled=true'], 'geo.keda has nothing to scale by'],
  [['geo.hpa.enabled=true', 'geo.hpa.minReplicas=11'], 'geo.hpa.minReplicas is more than maxReplicas'],
  [
    ['geo.podDisruptionBudget.minAvailable=1', 'geo.podDisruptionBudget.maxUnavailable=1'],
    'Kubernetes takes one of the two',
  ],
  [
    ['monitoring.serviceMonitor.enabled=true', 'monitoring.podMonitor.enabled=true'],
    'every figure would be counted twice',
  ],
  [['tls.http=true'], 'tls.http needs tls.existingSecret'],
  [['postgres.existingSecret='], 'postgres.existingSecret is empty: name the Secret with the address of PostgreSQL'],
  [['nats.existingSecret='], 'nats.existingSecret is empty'],
  [['clickhouse.existingSecret='], 'clickhouse.existingSecret is empty'],
  [['access.existingSecret='], 'access.existingSecret is empty'],
  [['enrollment.existingSecret='], 'enrollment.existingSecret is empty'],
  [['passRender.existingSecret='], 'passRender.existingSecret is empty'],
  [['passRender.webTlsSecret='], 'passRender.webTlsSecret is empty'],
  [['analytics.enabled=false'], 'campaigns calls analytics, which is not enabled'],
  [['sandbox.enabled=true', 'sandbox.replicas=2'], 'sandbox.replicas is more than 1'],
  [['sandbox.enabled=true', 'sandbox.authoritySecret='], 'sandbox.authoritySecret is empty'],
]

/** What is set, and the value that the schema names. */
const malformed: readonly (readonly [set: string, path: string])[] = [
  ['ledgr.replicas=2', 'ledgr'],
  ['ledger.replica=2', 'replica'],
  ['ledger.hpa.enable=true', 'enable'],
  ['ledger.replicas=two', '/ledger/replicas'],
  ['ledger.keptMonths=13', '/ledger/keptMonths'],
  ['ledger.poolSize=3', '/ledger/poolSize'],
  ['ledger.cardPrefix=99', 'cardPrefix'],
  ['enrollment.cardPrefix=12a', '/enrollment/cardPrefix'],
  ['passRender.webUrl=http://p.example.com', '/passRender/webUrl'],
  ['logLevel=loud', '/logLevel'],
  ['postgres.cluster.storage.size=big', '/postgres/cluster/storage/size'],
  ['analytics.keda.consumers[0].stream=EVENT', '/analytics/keda/consumers/0'],
  ['pushDispatcher.googleMaxPerSecond=0', '/pushDispatcher/googleMaxPerSecond'],
  ['monitoring.interval=often', '/monitoring/interval'],
]

describe('what the chart refuses', { skip: helm === undefined }, () => {
  const program = helm ?? ''

  for (const [sets, words] of impossible) {
    test(`${sets.join(', ')}: ${words}`, () => {
      const { exitCode, output } = runHelm(program, templateArgs([], sets))
      assert.notEqual(exitCode, 0)
      assert.ok(output.includes(words), output)
    })
  }

  for (const [set, path] of malformed) {
    test(`${set} is not of the schema`, () => {
      const { exitCode, output } = runHelm(program, templateArgs([], [set]))
      assert.notEqual(exitCode, 0)
      assert.match(output, /values don't meet the specifications of the schema/)
      assert.ok(output.includes(path), output)
    })
  }
})
