/** Reference from a dependent object to its owner. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** What the kernel reads of an object's metadata. Times stay the RFC 3339 texts of the wire. */
export interface ObjectMeta {
  readonly name: string
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string
  readonly uid?: string
  /** Opaque version of the stored object; only compared for equality. */
  readonly resourceVersion?: string
  /** Counts the changes of `spec`. */
  readonly generation?: number
  readonly creationTimestamp?: string
  /** Set while the object waits for its finalizers. */
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

/** Any object of the Kubernetes API, as JSON. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** Names one object within its resource. */
export interface ObjectName {
  readonly namespace: string
  readonly name: string
}

/** What the work queue holds: `namespace/name`. Neither part can contain a slash. */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

/** The name behind a key of `keyOf`. */
export function parseKey(key: string): ObjectName {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The name of an object that the server gave. */
export function nameOf({ metadata }: KubeObject): ObjectName {
  return { namespace: metadata.namespace ?? '', name: metadata.name }
}
