import { until } from '@stampede/platform/testing'
import type { Condition } from '../kernel/conditions.ts'
import type { KubeObject } from '../kernel/object.ts'
import type { Resource } from '../kernel/resource.ts'
import type { KubeTransport } from '../kernel/transport.ts'

/** A kind that only tests know: a spec, a status subresource, nothing else. */
export interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number }
  readonly status?: { readonly seen?: number; readonly conditions?: readonly Condition[] }
}

/** widgets.test.stampede.dev/v1 */
export const widgets: Resource<Widget> = {
  group: 'test.stampede.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
}

const integer = { type: 'integer' }
const text = { type: 'string' }
const condition = {
  type: 'object',
  required: ['type'],
  properties: {
    type: text,
    status: text,
    observedGeneration: integer,
    lastTransitionTime: { type: 'string', format: 'date-time' },
    reason: text,
    message: text,
  },
}
const conditions = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: condition,
}
const schema = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { size: integer } },
    status: { type: 'object', properties: { seen: integer, conditions } },
  },
}
const definition = {
  metadata: { name: 'widgets.test.stampede.dev' },
  spec: {
    group: widgets.group,
    scope: 'Namespaced',
    names: { plural: widgets.plural, singular: 'widget', kind: widgets.kind },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } },
    ],
  },
}

/** Makes the kind known to a real server, and waits until it serves it. */
export async function installWidgets(kube: KubeTransport): Promise<void> {
  await kube.send({ method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body: definition })
  const list = { method: 'GET', path: '/apis/test.stampede.dev/v1/widgets' } as const
  await until('the server serves widgets', () =>
    kube.send(list).then(
      () => true,
      () => false,
    ),
  )
}
