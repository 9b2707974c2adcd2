import { parseAllDocuments } from 'yaml'

/** A variable of a container. */
export interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } }
}

/** A container, as far as the tests look. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly env?: readonly Variable[]
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels }
  readonly securityContext?: Record<string, unknown>
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
}

/** A probe. */
export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string; readonly scheme?: string }
  readonly tcpSocket?: { readonly port: string }
  readonly periodSeconds: number
  readonly failureThreshold: number
}

/** A pod. */
export interface PodSpec {
  readonly serviceAccountName: string
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext: Record<string, unknown>
  readonly containers: readonly Container[]
  readonly volumes?: readonly Volume[]
  readonly topologySpreadConstraints?: readonly Record<string, unknown>[]
}

/** A volume. */
export interface Volume {
  readonly name: string
  readonly secret?: { readonly secretName: string; readonly optional?: boolean; readonly defaultMode: number }
  readonly emptyDir?: Record<string, unknown>
}

/** Labels, and other maps of texts. */
export type Labels = Readonly<Record<string, string>>

/** An object as rendered. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly data?: Labels
}

/** A Deployment or a Job: what has pods. */
export interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly selector?: { readonly matchLabels: Labels }
    readonly template: {
      readonly metadata: { readonly labels: Labels; readonly annotations?: Labels }
      readonly spec: PodSpec
    }
  }
}

/** Reads a stream of YAML documents; throws on YAML that is not well-formed, and on a key that is there twice. */
export function parseObjects(text: string): readonly KubeObject[] {
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    const value: unknown = document.toJS()
    return value === null ? [] : [value as KubeObject]
  })
}

/** Objects of one kind. */
export function ofKind(objects: readonly KubeObject[], kind: string): readonly KubeObject[] {
  return objects.filter((object) => object.kind === kind)
}

/** Whatever has pods. */
export function workloadsOf(objects: readonly KubeObject[]): readonly Workload[] {
  return objects.filter(hasPods)
}

function hasPods(object: KubeObject): object is Workload {
  return object.kind === 'Deployment' || object.kind === 'Job'
}

/** Component that an object belongs to; empty for those of the release as a whole. */
export function componentOf({ metadata }: KubeObject): string {
  return metadata.labels?.['app.kubernetes.io/component'] ?? ''
}
