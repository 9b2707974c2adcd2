import type { Delivery } from '@stampede/platform'
import { GoogleWork } from '@stampede/proto/push/v1'

/** Kinds of resource that are written, in this order: objects need their classes. */
export const googleKinds: readonly string[] = ['loyaltyClass', 'loyaltyObject']
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

/** Why the work can never be sent; undefined when it can. */
export function refusalOf({ kind, resourceId, issuerId, resourceJson }: GoogleWork): string | undefined {
  if (!googleKinds.includes(kind)) return 'unknownKind'
  if (!idPattern.test(resourceId)) return 'badResourceId'
  if (resourceId.slice(0, resourceId.indexOf('.')) !== issuerId) return 'issuerMismatch'
  if (resourceJson.length > JSON_CHARACTERS_MAX) return 'resourceTooLarge'
  return parseResource(resourceJson)?.['id'] === resourceId ? undefined : 'badResourceJson'
}

/** Id of the class that an object belongs to; empty for other kinds. */
export function classIdOf({ kind, resourceJson }: GoogleWork): string {
  const classId = kind === 'loyaltyObject' ? parseResource(resourceJson)?.['classId'] : undefined
  return typeof classId === 'string' ? classId : ''
}

function parseResource(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function decode(data: Uint8Array): GoogleWork | undefined {
  try {
    const work = GoogleWork.decode(data)
    return work.brand === '' || work.resourceId === '' ? undefined : work
  } catch {
    return undefined
  }
}
