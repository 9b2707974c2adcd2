import { isKubeError } from './errors.ts'
import { type KubeObject, nameOf, type ObjectName } from './object.ts'
import { apiVersionOf, collectionPath, objectPath, type Resource } from './resource.ts'
import type { KubeTransport } from './transport.ts'

/** What to list. */
export interface ListOptions {
  /** Empty = all namespaces (which RBAC must allow). */
  readonly namespace: string
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** All objects of a list, and the version from which a watch continues it. */
export interface ObjectList<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
}

/** An object with the part that its controller reports in. */
export interface WithStatus extends KubeObject {
  readonly status?: object
}

/** Deletes only what is still that. */
export interface DeletePreconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** Reads and writes objects; throws KubeError. Every write is validated strictly: an unknown field is refused. */
export interface KubeStore {
  /** One object; undefined when it does not exist. */
  get<T extends KubeObject>(resource: Resource<T>, name: ObjectName): Promise<T | undefined>
  /** All objects, read in pages. */
  list<T extends KubeObject>(resource: Resource<T>, options: ListOptions): Promise<ObjectList<T>>
  /** Creates; `alreadyExists` when somebody has. */
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /** Replaces; with a resourceVersion only when nobody else wrote since (`conflict`). */
  update<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /**
   * Server-side apply of exactly these fields: creates or changes, removes what an earlier apply of ours held, leaves
   * the fields of others alone. Takes over fields that somebody else applied. `metadata.resourceVersion` makes it
   * conditional.
   */
  apply<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>
  /** JSON merge patch; put `metadata.resourceVersion` into it to make it conditional. */
  patch<T extends KubeObject>(resource: Resource<T>, name: ObjectName, patch: object): Promise<T>
  /** Server-side apply of the status subresource, when nobody else wrote the object since (`conflict`). */
  patchStatus<T extends WithStatus>(resource: Resource<T>, object: T): Promise<T>
  /** Deletes; false when it did not exist. */
  delete(resource: Resource, name: ObjectName, preconditions?: DeletePreconditions): Promise<boolean>
}

/** Objects of one page of a list. */
const pageObjects = 500

/** How a store writes. */
export interface StoreOptions {
  /** Owner of the fields that it applies. */
  readonly fieldManager: string
  /** Deadline of each request; default 30 s. */
  readonly timeoutMs?: number
}

/** A store that writes as one field manager. */
export function createStore(kube: KubeTransport, { fieldManager, timeoutMs }: StoreOptions): KubeStore {
  const transport: Pick<KubeTransport, 'send'> = {
    send: (request) => kube.send(timeoutMs === undefined ? request : { timeoutMs, ...request }),
  }
  const writing = { fieldManager, fieldValidation: 'Strict' }
  const applyType = 'application/apply-patch+yaml'
  return {
    get: (resource, name) => undefinedIfMissing(transport.send({ method: 'GET', path: objectPath(resource, name) })),
    list: (resource, options) => listAll(transport, resource, options),
    create: (resource, object) =>
      transport.send({
        method: 'POST',
        path: collectionPath(resource, nameOf(object).namespace),
        query: writing,
        body: object,
      }),
    update: (resource, object) =>
      transport.send({
        method: 'PUT',
        path: objectPath(resource, nameOf(object)),
        query: writing,
        body: object,
      }),
    apply: (resource, object) =>
      transport.send({
        method: 'PATCH',
        path: objectPath(resource, nameOf(object)),
        query: { ...writing, force: true },
        body: object,
        contentType: applyType,
      }),
    patch: (resource, name, patch) =>
      transport.send({
        method: 'PATCH',
        path: objectPath(resource, name),
        query: writing,
        body: patch,
        contentType: 'application/merge-patch+json',
      }),
    patchStatus: (resource, { apiVersion, kind, metadata, status }) =>
      transport.send({
        method: 'PATCH',
        path: objectPath(resource, nameOf({ apiVersion, kind, metadata }), 'status'),
        query: { ...writing, force: true },
        body: {
          apiVersion,
          kind,
          metadata: { name: metadata.name, resourceVersion: metadata.resourceVersion },
          status,
        },
        contentType: applyType,
      }),
    delete: async (resource, name, preconditions) => {
      const body = preconditions === undefined ? undefined : { kind: 'DeleteOptions', apiVersion: 'v1', preconditions }
      const sent = transport.send<object>({ method: 'DELETE', path: objectPath(resource, name), body })
      return (await undefinedIfMissing(sent)) !== undefined
    },
  }
}

async function undefinedIfMissing<T>(sent: Promise<T>): Promise<T | undefined> {
  try {
    return await sent
  } catch (error) {
    if (isKubeError(error, 'notFound')) return undefined
    throw error
  }
}

/** One answer to a list. */
interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items?: readonly T[]
}

/**
 * Reads all pages. When the continue token grows too old meanwhile, everything is asked for once more in one answer,
 * which cannot grow old.
 */
async function listAll<T extends KubeObject>(
  transport: Pick<KubeTransport, 'send'>,
  resource: Resource<T>,
  options: ListOptions,
): Promise<ObjectList<T>> {
  try {
    return await listPages(transport, resource, options, pageObjects)
  } catch (error) {
    if (!isKubeError(error, 'gone')) throw error
    return listPages(transport, resource, options, undefined)
  }
}

async function listPages<T extends KubeObject>(
  transport: Pick<KubeTransport, 'send'>,
  resource: Resource<T>,
  options: ListOptions,
  limit: number | undefined,
): Promise<ObjectList<T>> {
  // The items of a list come without the two fields that say what they are.
  const typed = { apiVersion: apiVersionOf(resource), kind: resource.kind }
  const items: T[] = []
  let token: string | undefined
  for (;;) {
    const page = await transport.send<Page<T>>({
      method: 'GET',
      path: collectionPath(resource, options.namespace),
      query: {
        limit,
        continue: token,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
      },
      signal: options.signal,
    })
    for (const item of page.items ?? []) items.push({ ...typed, ...item })
    token = page.metadata.continue
    if (token === undefined || token === '') return { items, resourceVersion: page.metadata.resourceVersion }
  }
}
