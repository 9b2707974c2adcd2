import { isObject } from '../pass/check-json.ts'
import type { GoogleRow } from '../rows.ts'
import { badRequest, type GoogleProblem, problem } from './problem.ts'
import {
  changesNotifyingField,
  checkMessage,
  checkResource,
  classKindOf,
  isClassKind,
  isNotifying,
  issuerOf,
  MESSAGES_MAX,
  mergePatch,
  type ObjectKind,
  objectKindOf,
  type Resource,
  type ResourceKind,
  resourceKinds,
  reviewStatusOf,
} from './rules.ts'

/** What a write leads to. Nothing is stored before `commit` is called with it. */
export interface Write {
  readonly kind: ResourceKind
  readonly id: string
  readonly resource: Resource
  /** It uses up one notification of the resource. */
  readonly notifying: boolean
}

/** Outcome of a write. */
export type WriteResult =
  | { readonly ok: true; readonly write: Write }
  | { readonly ok: false; readonly problem: GoogleProblem }

/** Notifications of one resource within the window. */
export const NOTIFICATIONS_MAX = 3
/** The window, ms. */
export const NOTIFICATION_WINDOW_MS = 24 * 3_600_000

/** Generic classes are not reviewed. */
function isReviewed(kind: ResourceKind): boolean {
  return isClassKind(kind) && kind !== 'genericClass'
}

function no(refusal: GoogleProblem): WriteResult {
  return { ok: false, problem: refusal }
}

/** Classes and objects of all issuers, kept as JSON text: a hundred thousand of them must fit. */
export class ResourceStore {
  readonly #texts = new Map<ResourceKind, Map<string, string>>(resourceKinds.map((kind) => [kind, new Map()]))
  /** Instants of notifications by kind and id, those within the window. */
  readonly #notifiedAt = new Map<string, readonly number[]>()
  /** Objects that were notified by something of their own, by class. */
  readonly #notifiedObjects = new Map<string, Set<string>>()
  readonly #holders = new Map<string, number>()

  /** A stored resource. */
  get(kind: ResourceKind, id: string): Resource | undefined {
    const text = this.#of(kind).get(id)
    return text === undefined ? undefined : (JSON.parse(text) as Resource)
  }

  /** Number of stored resources of a kind. */
  count(kind: ResourceKind): number {
    return this.#of(kind).size
  }

  /** People who hold what a resource is about: of a class, all holders of its objects. */
  holders(kind: ResourceKind, id: string): number {
    if (isClassKind(kind)) return this.#holders.get(id) ?? 0
    return this.get(kind, id)?.['hasUsers'] === true ? 1 : 0
  }

  /** Restores the effect of a journal row. */
  restore(row: GoogleRow): void {
    if (row.status !== 200 || !row.resource) return
    const kind = row.kind === 'save' ? this.kindOfSaved(row.resource) : (row.kind as ResourceKind)
    this.commit({ kind, id: row.id, resource: row.resource, notifying: row.notifying === true }, row.at)
  }

  /** Stores what a write decided. */
  commit({ kind, id, resource, notifying }: Write, atMs: number): void {
    if (!isClassKind(kind)) {
      const before = this.holders(kind, id)
      const after = resource['hasUsers'] === true ? 1 : 0
      const classId = String(resource['classId'])
      if (after !== before) this.#holders.set(classId, (this.#holders.get(classId) ?? 0) + after - before)
    }
    this.#of(kind).set(id, JSON.stringify(resource))
    if (notifying) this.#countNotification(kind, id, resource, atMs)
  }

  /** Decides an insertion. */
  insert(kind: ResourceKind, body: Resource): WriteResult {
    const id = body['id']
    if (issuerOf(id) === undefined) return no(badRequest('Invalid resource ID'))
    if (this.#of(kind).has(String(id))) return no(problem(409, 'alreadyExists', `${kind} already exists`))
    return this.#accept(kind, String(id), body, undefined, false)
  }

  /** Decides a replacement (PUT): what is left out is cleared. */
  replace(kind: ResourceKind, id: string, body: Resource, atMs: number): WriteResult {
    const previous = this.get(kind, id)
    if (!previous) return no(notFound(kind, id))
    if (body['id'] !== undefined && body['id'] !== id) return no(badRequest('id differs from the path'))
    return this.#update(kind, id, { ...body, id }, body, previous, atMs)
  }

  /** Decides a partial update. */
  patch(kind: ResourceKind, id: string, body: Resource, atMs: number): WriteResult {
    const previous = this.get(kind, id)
    if (!previous) return no(notFound(kind, id))
    if (body['id'] !== undefined && body['id'] !== id) return no(badRequest('id differs from the path'))
    return this.#update(kind, id, mergePatch(previous, body), body, previous, atMs)
  }

  /** Decides a message. */
  addMessage(kind: ResourceKind, id: string, body: Resource, atMs: number): WriteResult {
    const previous = this.get(kind, id)
    if (!previous) return no(notFound(kind, id))
    const { message } = body
    const refusal = checkMessage(message)
    if (refusal || !isObject(message)) return no(badRequest(refusal ?? 'message is required'))
    const messages = (previous['messages'] ?? []) as readonly unknown[]
    if (messages.length >= MESSAGES_MAX) return no(badRequest(`messages: at most ${MESSAGES_MAX} entries`))
    const notifying = isNotifying(message)
    if (notifying && this.#spent(kind, previous, atMs)) return no(quotaExceeded(kind, id))
    const resource = { ...previous, messages: [...messages, { messageType: 'TEXT', ...message }] }
    return { ok: true, write: { kind, id, resource, notifying } }
  }

  /** Decides that somebody saved an object; a full object in the link is inserted when it is new. */
  save(kind: ObjectKind, object: Resource): WriteResult {
    const id = String(object['id'])
    const stored = this.get(kind, id)
    if (!stored && object['state'] === undefined) return no(notFound(kind, id))
    const inserted = stored ? undefined : this.insert(kind, object)
    if (inserted && !inserted.ok) return inserted
    const base = stored ?? inserted?.write.resource ?? {}
    return { ok: true, write: { kind, id, resource: { ...base, hasUsers: true }, notifying: false } }
  }

  /** Kind of a saved object: that of the class it names. */
  kindOfSaved(resource: Resource): ObjectKind {
    const classId = String(resource['classId'])
    return objectKindOf(
      resourceKinds.find((kind) => isClassKind(kind) && this.#of(kind).has(classId)) ?? 'loyaltyClass',
    )
  }

  #of(kind: ResourceKind): Map<string, string> {
    const texts = this.#texts.get(kind)
    if (texts === undefined) throw new Error(`there is no kind ${kind}`)
    return texts
  }

  #update(
    kind: ResourceKind,
    id: string,
    next: Resource,
    sent: Resource,
    previous: Resource,
    atMs: number,
  ): WriteResult {
    if (!isClassKind(kind) && next['classId'] !== previous['classId']) {
      return no(badRequest('classId: moving an object to another class is not documented'))
    }
    const asked = sent['notifyPreference'] === 'NOTIFY_ON_UPDATE' || sent['notifyPreference'] === 'notifyOnUpdate'
    const notifying = asked && changesNotifyingField(kind, previous, next)
    if (notifying && this.#spent(kind, previous, atMs)) return no(quotaExceeded(kind, id))
    const complete = isReviewed(kind) ? { ...next, reviewStatus: sent['reviewStatus'] ?? '' } : next
    return this.#accept(kind, id, complete, previous, notifying)
  }

  #accept(
    kind: ResourceKind,
    id: string,
    body: Resource,
    previous: Resource | undefined,
    notifying: boolean,
  ): WriteResult {
    // Set by the platform, or asked anew with every update: never taken from a caller.
    const { hasUsers: _users, notifyPreference: _once, ...sent } = body
    const refusal = checkResource(kind, sent)
    if (refusal) return no(refusal)
    if (isReviewed(kind)) {
      const review = reviewStatusOf(sent['reviewStatus'], previous?.['reviewStatus'])
      if ('refusal' in review) return no(review.refusal)
      return { ok: true, write: { kind, id, resource: { ...sent, reviewStatus: review.status }, notifying } }
    }
    if (isClassKind(kind)) return { ok: true, write: { kind, id, resource: sent, notifying } }
    const classProblem = this.#checkClassOf(kind, id, String(sent['classId']))
    if (classProblem) return no(classProblem)
    const resource = { ...sent, hasUsers: previous?.['hasUsers'] === true }
    return { ok: true, write: { kind, id, resource, notifying } }
  }

  #checkClassOf(kind: ResourceKind, id: string, classId: string): GoogleProblem | undefined {
    if (issuerOf(classId) === undefined) return badRequest('Invalid class ID')
    if (issuerOf(classId) !== issuerOf(id)) return badRequest('classId: is of another issuer')
    const parent = this.get(classKindOf(kind), classId)
    if (!parent) return problem(404, 'classNotFound', `Class ${classId} not found`)
    return parent['reviewStatus'] === 'DRAFT' ? badRequest('classId: a draft cannot have objects') : undefined
  }

  #recent(kind: ResourceKind, id: string, atMs: number): readonly number[] {
    return (this.#notifiedAt.get(`${kind}/${id}`) ?? []).filter((at) => at > atMs - NOTIFICATION_WINDOW_MS)
  }

  #countNotification(kind: ResourceKind, id: string, resource: Resource, atMs: number): void {
    this.#notifiedAt.set(`${kind}/${id}`, [...this.#recent(kind, id, atMs), atMs])
    if (isClassKind(kind)) return
    const classId = String(resource['classId'])
    this.#notifiedObjects.set(classId, (this.#notifiedObjects.get(classId) ?? new Set()).add(id))
  }

  /**
   * Whether a further notification would be the fourth of somebody: one of a class is one of each of its objects. Google
   * does not say so; a stand-in that lets more through than Google would hide a mistake.
   */
  #spent(kind: ResourceKind, resource: Resource, atMs: number): boolean {
    const classId = String(resource[isClassKind(kind) ? 'id' : 'classId'])
    const ofClass = this.#recent(classKindOf(kind), classId, atMs).length
    const objects = isClassKind(kind) ? (this.#notifiedObjects.get(classId) ?? []) : [String(resource['id'])]
    let most = 0
    for (const id of objects) most = Math.max(most, this.#recent(objectKindOf(kind), id, atMs).length)
    return ofClass + most >= NOTIFICATIONS_MAX
  }
}

function notFound(kind: ResourceKind, id: string): GoogleProblem {
  const reason = isClassKind(kind) ? 'classNotFound' : 'resourceNotFound'
  return problem(404, reason, `${isClassKind(kind) ? 'Class' : 'Object'} ${id} not found`)
}

/** 403: the holders of a resource were notified too often. */
export function quotaExceeded(kind: ResourceKind, id: string): GoogleProblem {
  const what = isClassKind(kind) ? 'class' : 'object'
  return problem(
    403,
    'quotaExceeded',
    `Quota exceeded for issuer ${issuerOf(id)} when adding TEXT_AND_NOTIFY message to ${what} ${id}`,
  )
}
