/** API group and version of our resources. */
export const group = 'stampede.dev'
export const version = 'v1alpha1'

/** Label with the slug of the brand that an object belongs to. */
export const brandLabel = `${group}/brand`
/** Keeps a Brand until the operator has done what its deletion policy asks for. */
export const brandFinalizer = `${group}/credentials`

/** An entry of a Secret in the same namespace. */
export interface SecretEntryRef {
  readonly name: string
  readonly key: string
}
