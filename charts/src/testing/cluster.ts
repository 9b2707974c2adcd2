import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeServer } from '@stampede/operator/testing'
import type { KubeObject } from './objects.ts'

/** What the API server says to an object. */
export interface Verdict {
  /** HTTP status; 200 and 201 take it. */
  readonly status: number
  /** Its words when it refuses. */
  readonly message: string
}

interface Resource {
  readonly kind: string
  readonly name: string
  readonly namespaced: boolean
}

const establishTriesMax = 100
const establishPollMs = 100

/** The API server of a test, through its admin: takes objects as `kubectl apply --server-side` sends them. */
export class Cluster {
  readonly #server: KubeServer
  readonly #resources = new Map<string, readonly Resource[]>()

  constructor(server: KubeServer) {
    this.#server = server
  }

  /** Applies an object with strict validation of fields: unknown and double ones are refused. */
  async apply(object: KubeObject, namespace: string, options: { readonly dryRun: boolean }): Promise<Verdict> {
    const path = await this.#pathOf(object, namespace)
    if (path === undefined) return { status: 404, message: `no resource for ${object.apiVersion} ${object.kind}` }
    const query = `fieldManager=helm&force=true&fieldValidation=Strict${options.dryRun ? '&dryRun=All' : ''}`
    const { status, body } = await this.#send('PATCH', `${path}?${query}`, object)
    return { status, message: String(body['message'] ?? '') }
  }

  /** An object as it is now; a Status when there is none. */
  async read(object: KubeObject, namespace: string): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#send('GET', (await this.#pathOf(object, namespace)) ?? '/')).body
  }

  /** Installs a definition and waits until its resources are served. Throws when it is refused. */
  async define(definition: KubeObject): Promise<void> {
    const { status, message } = await this.apply(definition, '', { dryRun: false })
    if (status > 201) throw new Error(`${definition.metadata.name}: ${message}`)
    const { group, names, versions } = definition.spec as {
      readonly group: string
      readonly names: { readonly kind: string }
      readonly versions: readonly { readonly name: string }[]
    }
    for (const { name } of versions) await this.#waitFor(`${group}/${name}`, names.kind)
  }

  async #waitFor(apiVersion: string, kind: string): Promise<void> {
    for (let tries = 0; tries < establishTriesMax; tries++) {
      this.#resources.delete(apiVersion)
      if ((await this.#resourcesOf(apiVersion)).some((resource) => resource.kind === kind)) return
      await sleep(establishPollMs)
    }
    throw new Error(`${apiVersion} ${kind} is not served`)
  }

  async #pathOf({ apiVersion, kind, metadata }: KubeObject, namespace: string): Promise<string | undefined> {
    const found = (await this.#resourcesOf(apiVersion)).find(
      (resource) => resource.kind === kind && !resource.name.includes('/'),
    )
    if (found === undefined) return undefined
    const scope = found.namespaced ? `/namespaces/${namespace}` : ''
    return `${rootOf(apiVersion)}${scope}/${found.name}/${metadata.name}`
  }

  async #resourcesOf(apiVersion: string): Promise<readonly Resource[]> {
    const known = this.#resources.get(apiVersion)
    if (known !== undefined) return known
    const { body } = await this.#send('GET', rootOf(apiVersion))
    const resources = (body['resources'] ?? []) as readonly Resource[]
    if (resources.length > 0) this.#resources.set(apiVersion, resources)
    return resources
  }

  #send(
    method: string,
    path: string,
    object?: object,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
    const { adminConfig, url } = this.#server
    const options = {
      method,
      ca: Buffer.from(adminConfig.getCurrentCluster()?.caData ?? '', 'base64'),
      headers: {
        authorization: `Bearer ${adminConfig.getCurrentUser()?.token}`,
        // JSON is YAML.
        ...(object === undefined ? {} : { 'content-type': 'application/apply-patch+yaml' }),
      },
    }
    return new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, options, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body: parse(body) }), reject)
      })
      sent.on('error', reject)
      sent.end(object === undefined ? undefined : JSON.stringify(object))
    })
  }
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

function parse(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return { message: body }
  }
}
