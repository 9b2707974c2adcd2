import type { Delivery } from '@stampede/platform'
import { GoogleWork } from '@stampede/proto/push/v1'
import { isClassKind, isGoogleKind, parseJson } from './resource-json.ts'

/** Longest resource that is sent, in characters. */
const JSON_CHARACTERS_MAX = 500_000
const idPattern = /^[0-9]{1,19}\.[A-Za-z0-9._-]{1,200}$/

/** A desired state in hand. */
export interface WorkInHand {
  readonly delivery: Delivery
  readonly work: GoogleWork
  /** Names the resource; class and object may share an id. */
  readonly key: string
}

/** A batch, read. */
export interface ReadBatch {
  /** The newest state of each resource. */
  readonly works: readonly WorkInHand[]
  /** Messages that are no work. */
  readonly unreadable: number
}

/** Reads a batch; of several states of one resource only the newest is left. */
export function readBatch(batch: readonly Delivery[]): ReadBatch {
  const newest = new Map<string, WorkInHand>()
  let unreadable = 0
  for (const delivery of batch) {
    const work = decode(delivery.data)
    if (work === undefined) {
      unreadable += 1
      continue
    }
    const key = `${work.kind}/${work.resourceId}`
    const known = newest.get(key)
    if (known === undefined || known.work.version <= work.version) newest.set(key, { delivery, work, key })
  }
  return { works: [...newest.values()], unreadable }
}

/** Whether a text is the id of a resource: `<issuer>.<suffix>`. */
export function isResourceId(id: string): boolean {
  return idPattern.test(id)
}

/** Issuer of a resource: the part of its id before the first dot. */
export function issuerOf(resourceId: string): string {
  return resourceId.slice(0, resourceId.indexOf('.'))
}

/** Why the work can never be sent; undefined when it can. `issuer`: whose queue it came from. */
export function refusalOf(
  { kind, resourceId, issuerId, resourceJson }: GoogleWork,
  issuer: string,
): string | undefined {
  if (!isGoogleKind(kind)) return 'unknownKind'
  if (!isResourceId(resourceId)) return 'badResourceId'
  if (issuerId !== issuer || issuerOf(resourceId) !== issuer) return 'issuerMismatch'
  if (resourceJson.length > JSON_CHARACTERS_MAX) return 'resourceTooLarge'
  const resource = parseJson(resourceJson)
  if (resource?.['id'] !== resourceId) return 'badResourceJson'
  return resource['messages'] === undefined ? undefined : 'messagesInResource'
}

/** Id of the class that an object belongs to; empty for other kinds. */
export function classIdOf({ kind, resourceJson }: GoogleWork): string {
  const classId = isGoogleKind(kind) && !isClassKind(kind) ? parseJson(resourceJson)?.['classId'] : undefined
  return typeof classId === 'string' ? classId : ''
}

function decode(data: Uint8Array): GoogleWork | undefined {
  try {
    const work = GoogleWork.decode(data)
    return work.brand === '' || work.resourceId === '' ? undefined : work
  } catch {
    return undefined
  }
}
