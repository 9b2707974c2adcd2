/** API group and version of our resources. */
export const group = 'stampede.dev'
export const version = 'v1alpha1'
/** `apiVersion` of our resources. */
export const apiVersion = `${group}/${version}`

/** Label with the slug of the brand that an object belongs to. */
export const brandLabel = `${group}/brand`
/** Keeps a Brand until the operator has done what its deletion policy asks for. */
export const brandFinalizer = `${group}/credentials`

/** The part of an object's metadata that is used. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly generation: number
  readonly resourceVersion: string
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** A statement about an object, as `kubectl describe` shows it. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase, from a fixed set. */
  readonly reason: string
  /** For people, at most 1,024 characters. */
  readonly message: string
  /** When `status` last changed. */
  readonly lastTransitionTime: string
  /** The generation that it is about. */
  readonly observedGeneration?: number
}

/** An entry of a Secret in the same namespace. */
export interface SecretEntryRef {
  readonly name: string
  readonly key: string
}
