import type { KubeObject, ObjectMeta, ObjectName } from './object.ts'

/** A namespaced resource of the API; `T` is the type of its objects. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** API group; empty = core. */
  readonly group: string
  readonly version: string
  /** Lower-case plural of the path, such as `brands`. */
  readonly plural: string
  readonly kind: string
  /** Never set; carries the type of the objects. */
  readonly objectType?: T
}

/** A Secret; values are base64. */
export interface SecretObject extends KubeObject {
  readonly type?: string
  readonly immutable?: boolean
  readonly data?: Readonly<Record<string, string>>
}

/** A Lease of coordination.k8s.io. */
export interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    /** RFC 3339 with microseconds; for people, never compared. */
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** An Ingress of networking.k8s.io; the kernel does not look inside. */
export interface IngressObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>
}

/** An Event of events.k8s.io. */
export interface EventObject extends KubeObject {
  readonly eventTime: string
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly note: string
  readonly action: string
  readonly reportingController: string
  readonly reportingInstance: string
  readonly regarding: ObjectReference
  readonly series?: { readonly count: number; readonly lastObservedTime: string }
}

/** Points at an object from an event. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
}

/** core/v1 Secret. */
export const secrets: Resource<SecretObject> = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' }
/** coordination.k8s.io/v1 Lease. */
export const leases: Resource<LeaseObject> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
}
/** networking.k8s.io/v1 Ingress. */
export const ingresses: Resource<IngressObject> = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingresses',
  kind: 'Ingress',
}
/** events.k8s.io/v1 Event. */
export const events: Resource<EventObject> = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' }

/** `apiVersion` of a resource's objects. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`
}

/** Path of a resource's collection: in one namespace, or in all when that is empty. */
export function collectionPath(resource: Resource, namespace: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`
  const scope = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root}${scope}/${resource.plural}`
}

/** Path of one object, or of its subresource such as `status`. */
export function objectPath(resource: Resource, { namespace, name }: ObjectName, subresource?: 'status'): string {
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

/** `apiVersion`, `kind` and `metadata` of an object to be written. */
export function header(resource: Resource, metadata: ObjectMeta): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata }
}
