import { randomUUID } from 'node:crypto'
import {
  type Clock,
  changeShared,
  type Nats,
  readShared,
  type SharedKey,
  unavailable,
  writeShared,
} from '@stampede/platform'
import { claimNow, HeldClaim, isBusy } from '../claim.ts'
import { type ClassKind, classKindOf, type GoogleKind, isClassKind } from '../resources/resource-json.ts'
import {
  announced,
  highestLevel,
  isAnnounced,
  NOTIFICATIONS_MAX,
  notificationsIn,
  parseSent,
  type SentEntry,
  type SentRecord,
  withEntry,
  withoutEntry,
} from './sent-record.ts'

/** Longer than a message can be under way, in milliseconds: its deadline is at most 48 h after its making. */
export const SENT_LIFE_MS = 72 * 3_600_000
/** How often a change is tried against others. */
const TRIES_MAX = 50
/** How old what is known of a class may be, in milliseconds. */
const CLASS_AGE_MS = 10_000
/** Classes that are kept in memory. */
const CLASSES_MAX = 1_000

/** Who gets a message: an object, or all holders of a class. */
export interface Recipient {
  readonly kind: GoogleKind
  readonly id: string
  /** The object's class, or the class itself. */
  readonly classId: string
}

/** What is known when a message is taken up for a recipient. */
export type Begun =
  /** Google has it for certain. */
  | { readonly kind: 'done'; readonly notifies: boolean }
  /** Another message of the recipient is under way. */
  | { readonly kind: 'busy' }
  /** It would notify too often. */
  | { readonly kind: 'quota' }
  /** It was never tried, and must not be any more. */
  | { readonly kind: 'untried' }
  /** It is booked and nobody else works on it. `tried`: it may have reached Google already. */
  | { readonly kind: 'begun'; readonly tried: boolean; readonly notifies: boolean; readonly held: HeldClaim }

/**
 * What was sent to whom, shared by all replicas and written down before it is sent: so a killed replica leaves no doubt
 * about what it may have sent, no message is sent twice and nobody is notified more than three times a day.
 *
 * A message to a class notifies each of its objects. An object counts those of its class as its own; the class counts
 * the most that any of its objects got. For that an object that is notified announces in the record of its class how
 * often it will have been: first the announcement, then the own booking. Whoever comes second sees the other one.
 */
export class SentBook {
  readonly #nats: Nats
  readonly #clock: Clock
  readonly #classes = new Map<string, { readonly record: SentRecord; readonly readAtMs: number }>()

  constructor(nats: Nats, clock: Clock) {
    this.#nats = nats
    this.#clock = clock
  }

  /** Takes up a message for a recipient, and books it if it was never tried. Throws UNAVAILABLE. */
  begin(
    recipient: Recipient,
    id: string,
    wish: { readonly notify: boolean; readonly mayAdd: boolean },
  ): Promise<Begun> {
    return this.#change<Begun>(recipient, async (record) => {
      const nowMs = this.#clock.nowMs()
      const known = record.entries.find((entry) => entry.id === id)
      if (known?.done === true) return { result: { kind: 'done', notifies: known.notifies } }
      if (isBusy(record, nowMs)) return { result: { kind: 'busy' } }
      if (known === undefined && !wish.mayAdd) return { result: { kind: 'untried' } }
      const entry = known ?? { id, atMs: nowMs, notifies: wish.notify, done: false }
      if (known === undefined && wish.notify && !(await this.#mayNotify(recipient, record, id)))
        return { result: { kind: 'quota' } }
      const claimed = claimNow(randomUUID(), nowMs)
      const held = new HeldClaim(
        { nats: this.#nats, clock: this.#clock, key: keyOf(recipient), lifeMs: SENT_LIFE_MS },
        claimed,
      )
      const result = { kind: 'begun', tried: known !== undefined, notifies: entry.notifies, held } as const
      return { result, write: { ...withEntry(record, entry), ...claimed } }
    })
  }

  /** Books a message anew that is held and certainly not there: false when it would notify too often by now. Throws UNAVAILABLE. */
  rebook(recipient: Recipient, held: HeldClaim, id: string, notifies: boolean): Promise<boolean> {
    return this.#change(recipient, async (record) => {
      if (record.claim !== held.claim) throw unavailable('another replica took the message over')
      if (notifies && !(await this.#mayNotify(recipient, record, id))) return { result: false }
      const entry = { id, atMs: this.#clock.nowMs(), notifies, done: false }
      return { result: true, write: withEntry(record, entry) }
    })
  }

  /** Books a change that notifies; false when that would be too often. Throws UNAVAILABLE. */
  bookChange(recipient: Recipient, version: bigint): Promise<boolean> {
    const id = `version/${version}`
    return this.#change(recipient, async (record) => {
      if (!(await this.#mayNotify(recipient, record, id))) return { result: false }
      const entry = { id, atMs: this.#clock.nowMs(), notifies: true, done: true }
      return { result: true, write: withEntry(record, entry) }
    })
  }

  /** Google has the message. What cannot be written down now is found out at Google later. */
  async settle(held: HeldClaim, id: string, notifies: boolean): Promise<void> {
    const entry: SentEntry = { id, atMs: this.#clock.nowMs(), notifies, done: true }
    await held.release((value) => withEntry(parseSent(value), entry)).catch(() => undefined)
  }

  /** Google certainly does not have the message, and it is given up. */
  async forget(held: HeldClaim, id: string): Promise<void> {
    await held.release((value) => withoutEntry(parseSent(value), id)).catch(() => undefined)
  }

  /** The message will be taken up again; it stays booked. */
  async putBack(held: HeldClaim): Promise<void> {
    await held.release().catch(() => undefined)
  }

  async #mayNotify(recipient: Recipient, record: SentRecord, id: string): Promise<boolean> {
    const nowMs = this.#clock.nowMs()
    const own = notificationsIn(record, id, nowMs) + 1
    if (own > NOTIFICATIONS_MAX) return false
    if (isClassKind(recipient.kind)) return own + highestLevel(record, nowMs) <= NOTIFICATIONS_MAX
    const ofClass = await this.#announce(classKindOf(recipient.kind), recipient.classId, own)
    return own + notificationsIn(ofClass, '', nowMs) <= NOTIFICATIONS_MAX
  }

  /**
   * Announces in the record of a class that one of its objects reaches the level. An old copy of the record will do
   * where the announcement stands already: a message to the class that came since has seen it.
   */
  async #announce(kind: ClassKind, classId: string, level: number): Promise<SentRecord> {
    const nowMs = this.#clock.nowMs()
    const known = this.#classes.get(classId)
    if (known !== undefined && nowMs - known.readAtMs <= CLASS_AGE_MS && isAnnounced(known.record, level, nowMs))
      return known.record
    const key = keyOf({ kind, id: classId })
    const record = await changeShared(this.#nats, key, SENT_LIFE_MS, (value) => {
      const stored = parseSent(value)
      if (isAnnounced(stored, level, nowMs)) return { result: stored }
      const next = announced(stored, level, nowMs)
      return { result: next, write: next }
    })
    if (this.#classes.size >= CLASSES_MAX) this.#classes.clear()
    this.#classes.set(classId, { record, readAtMs: nowMs })
    return record
  }

  async #change<T>(
    recipient: Recipient,
    decide: (record: SentRecord) => Promise<{ readonly result: T; readonly write?: SentRecord }>,
  ): Promise<T> {
    const key = keyOf(recipient)
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { value, revision } = await readShared(this.#nats, key)
      const { result, write } = await decide(parseSent(value))
      if (write === undefined) return result
      if ((await writeShared(this.#nats, key, write, { revision, lifeMs: SENT_LIFE_MS })) !== false) return result
    }
    throw unavailable('what was sent to a recipient changes too fast')
  }
}

function keyOf({ kind, id }: Pick<Recipient, 'kind' | 'id'>): SharedKey {
  return { bucket: 'google', parts: ['sent', kind, id] }
}
