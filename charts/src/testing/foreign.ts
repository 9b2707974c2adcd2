import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findGo } from '../../../scripts/tools/find.ts'
import { type KubeObject, parseObjects } from './objects.ts'

/** What others publish, and where in their Go modules it is; all under Apache-2.0. */
export const modules = {
  prometheusOperator: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
  keda: 'github.com/kedacore/keda/v2@v2.19.0',
  cloudNativePg: 'github.com/cloudnative-pg/cloudnative-pg@v1.27.0',
  skaffold: 'github.com/GoogleContainerTools/skaffold/v2@v2.16.1',
} as const

const definitions: readonly (readonly [module: keyof typeof modules, path: string])[] = [
  ['prometheusOperator', 'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml'],
  ['prometheusOperator', 'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml'],
  ['prometheusOperator', 'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml'],
  ['keda', 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  ['cloudNativePg', 'config/crd/bases/postgresql.cnpg.io_clusters.yaml'],
]

const downloadMs = 120_000

/** Whether Go is there to fetch them; when not, a line on the console says so, and in CI it throws. */
export function hasGo(): boolean {
  if (findGo() !== undefined) return true
  const line = 'no Go, which fetches what others publish'
  if (process.env['STAMPEDE_CI'] === '1') throw new Error(line)
  console.log(`LOUD SKIP: ${line}`)
  return false
}

/** Text of a file of a module. Go keeps modules in its own cache, and checks their sums. */
export function readForeign(module: keyof typeof modules, path: string): string {
  const { stdout, stderr } = spawnSync(findGo() ?? 'go', ['mod', 'download', '-json', modules[module]], {
    cwd: tmpdir(),
    encoding: 'utf8',
    timeout: downloadMs,
  })
  const { Dir: dir, Error: error } = JSON.parse(stdout || '{}') as { readonly Dir?: string; readonly Error?: string }
  if (dir === undefined) throw new Error(`${modules[module]}: ${error ?? stderr}`)
  return readFileSync(join(dir, path), 'utf8')
}

/** The definitions of others whose kinds the chart uses. */
export function foreignDefinitions(): readonly KubeObject[] {
  return definitions.flatMap(([module, path]) => parseObjects(readForeign(module, path)))
}
