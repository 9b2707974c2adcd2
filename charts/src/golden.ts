import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import type { KubeObject } from './testing/objects.ts'

/**
 * A render as it is kept: sorted by kind and name, without what has tests of its own and would drown the rest
 * (dashboards, alert rules and definitions are named by their SHA-256), and the 64 volumes of certificates as one.
 */
export function goldenText(objects: readonly KubeObject[]): string {
  const sorted = objects.toSorted((a, b) => compare(keyOf(a), keyOf(b)))
  return sorted
    .map((object) => `---\n${stringify(shorten(object), { lineWidth: 120, aliasDuplicateObjects: false })}`)
    .join('')
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1
}

function shorten(object: KubeObject): object {
  if (object.metadata.labels?.['grafana_dashboard'] !== undefined) return { ...object, data: digest(object.data) }
  if (object.kind === 'PrometheusRule' || object.kind === 'CustomResourceDefinition')
    return { ...object, spec: digest(object.spec) }
  return JSON.parse(JSON.stringify(object, withoutShards)) as object
}

function withoutShards(_key: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value
  return value.filter(
    (item: { readonly name?: unknown } | null) => !/^shard-(0[1-9]|[1-6]\d)$/.test(String(item?.name)),
  )
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
