import { isDeepStrictEqual } from 'node:util'
import { fromAnswer, type KubeError } from '../kernel/errors.ts'
import type { KubeObject } from '../kernel/object.ts'

/** An object as it is stored, with whatever fields it has. */
export type StoredObject = KubeObject & Readonly<Record<string, unknown>>

/** One entry of the log that watches read. */
export interface LogEntry {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** Path of the collection, such as `/api/v1/namespaces/default/secrets`. */
  readonly collection: string
  readonly object: StoredObject
  /** The object before; undefined for ADDED. */
  readonly before: StoredObject | undefined
}

/** A failure as the API server words it. */
export function failure(status: number, reason: string, message: string): KubeError {
  return fromAnswer(status, JSON.stringify({ kind: 'Status', status: 'Failure', code: status, reason, message }))
}

/** The objects of the fake: versions, conflicts, generations and a log, as in etcd. */
export class FakeObjects {
  readonly #objects = new Map<string, StoredObject>()
  readonly log: LogEntry[] = []
  /** Version of the newest change. */
  version = 1
  /** Watches from below this version are too old. */
  compacted = 0
  /** Called after each change. */
  onChange: (entry: LogEntry) => void = () => undefined

  get(path: string): StoredObject {
    const found = this.#objects.get(path)
    if (found === undefined) throw failure(404, 'NotFound', `"${path}" not found`)
    return found
  }

  /** Objects of a collection, or of all namespaces, sorted by path. */
  list(collection: string): readonly StoredObject[] {
    const paths = [...this.#objects.keys()].filter((path) => isWithin(path.slice(0, path.lastIndexOf('/')), collection))
    return paths.sort().map((path) => this.get(path))
  }

  create(collection: string, object: StoredObject): StoredObject {
    const path = `${collection}/${object.metadata.name}`
    if (this.#objects.has(path)) throw failure(409, 'AlreadyExists', `"${path}" already exists`)
    const namespace = /\/namespaces\/([^/]+)\//.exec(path)?.[1] ?? ''
    const created = { uid: crypto.randomUUID(), creationTimestamp: '2026-11-27T08:00:00Z', generation: 1 }
    return this.#put('ADDED', path, { ...object, metadata: { ...object.metadata, namespace, ...created } })
  }

  /** Replaces an object, or only its status; the generation counts changes of the spec. */
  update(path: string, next: StoredObject, subresource: string): StoredObject {
    const before = this.get(path)
    const wanted = next.metadata.resourceVersion
    if (wanted !== undefined && wanted !== before.metadata.resourceVersion) {
      throw failure(409, 'Conflict', `"${path}": the object has been modified`)
    }
    const parts: StoredObject =
      subresource === 'status'
        ? { ...before, status: next['status'] }
        : { ...next, ...('status' in before ? { status: before['status'] } : {}) }
    const isSameSpec = isDeepStrictEqual(before['spec'], parts['spec'])
    const generation = (before.metadata.generation ?? 1) + (isSameSpec ? 0 : 1)
    const { uid, namespace, creationTimestamp, resourceVersion } = before.metadata
    const kept = { uid, namespace, creationTimestamp, resourceVersion, generation } as StoredObject['metadata']
    const after: StoredObject = { ...parts, metadata: { ...parts.metadata, ...kept } }
    // Writing what is there already changes nothing, not even the version.
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(before)))) return before
    return this.#put('MODIFIED', path, after)
  }

  delete(path: string): StoredObject {
    const before = this.get(path)
    this.#objects.delete(path)
    return this.#record('DELETED', path, this.#versioned(before), before)
  }

  /** Forgets the log: every watch that has not got so far is too old. */
  compact(): void {
    this.version += 1
    this.compacted = this.version
    this.log.length = 0
  }

  #put(type: 'ADDED' | 'MODIFIED', path: string, object: StoredObject): StoredObject {
    const before = this.#objects.get(path)
    const stored = this.#versioned(object)
    this.#objects.set(path, stored)
    return this.#record(type, path, stored, before)
  }

  #versioned(object: StoredObject): StoredObject {
    this.version += 1
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } }
  }

  #record(type: LogEntry['type'], path: string, object: StoredObject, before: StoredObject | undefined): StoredObject {
    const entry = { version: this.version, type, collection: path.slice(0, path.lastIndexOf('/')), object, before }
    this.log.push(entry)
    this.onChange(entry)
    return object
  }
}

/** Whether a collection is that one, or lies in it when that spans all namespaces. */
export function isWithin(collection: string, wanted: string): boolean {
  return collection === wanted || collection.replace(/\/namespaces\/[^/]+\//, '/') === wanted
}

/** Whether an object has the labels of a selector `a=b,c=d`. */
export function matches(object: StoredObject, selector: string | null): boolean {
  if (selector === null || selector === '') return true
  return selector.split(',').every((part) => {
    const [label = '', value] = part.split('=')
    return object.metadata.labels?.[label] === value
  })
}
