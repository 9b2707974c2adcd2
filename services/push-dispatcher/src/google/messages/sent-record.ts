import { type Claimed, parseClaimed } from '../claim.ts'

/** Notifications that the holder of a pass gets within a day at most; Google refuses the next one. */
export const NOTIFICATIONS_MAX = 3
/** The day, in milliseconds, with five minutes for clocks that differ from Google's. */
const WINDOW_MS = 24 * 3_600_000 + 300_000
/** A level is announced for so much longer than it lasts, in milliseconds: then one announcement serves many objects. */
const ANNOUNCE_MS = 600_000
/** Messages of one resource that are remembered; the oldest are forgotten first. */
const ENTRIES_MAX = 100

/** A message, or a change with a notification, that was sent to a resource or may have been. */
export interface SentEntry {
  readonly id: string
  /** When it was last tried, Unix milliseconds. */
  readonly atMs: number
  readonly notifies: boolean
  /** Google has it for certain. */
  readonly done: boolean
}

/** What was sent to an object, or to a class as a whole. */
export interface SentRecord extends Claimed {
  readonly entries: readonly SentEntry[]
  /**
   * Of a class: until when (Unix milliseconds) one of its objects may have been notified once, twice, three times by
   * messages of its own within a day. A message to the class comes on top of those.
   */
  readonly levels: readonly number[]
}

/** The record as it was stored; an empty one when there is none. */
export function parseSent(value: unknown): SentRecord {
  const { entries, levels } = (value ?? {}) as Partial<SentRecord>
  return {
    ...parseClaimed(value),
    entries: Array.isArray(entries) ? entries : [],
    levels: Array.isArray(levels) ? levels : [],
  }
}

/** Notifications within a day, but for that of `exceptId`. */
export function notificationsIn({ entries }: SentRecord, exceptId: string, nowMs: number): number {
  return entries.filter(({ id, atMs, notifies }) => notifies && id !== exceptId && atMs > nowMs - WINDOW_MS).length
}

/** The most notifications that any object of the class may have had within a day by messages of its own. */
export function highestLevel({ levels }: SentRecord, nowMs: number): number {
  return levels.findLastIndex((untilMs) => untilMs > nowMs) + 1
}

/** Whether objects of the class may reach the level now without announcing it again. */
export function isAnnounced({ levels }: SentRecord, level: number, nowMs: number): boolean {
  return (levels[level - 1] ?? 0) >= nowMs + WINDOW_MS
}

/** The record after an object of the class announced that it reaches the level. */
export function announced(record: SentRecord, level: number, nowMs: number): SentRecord {
  const untilMs = nowMs + WINDOW_MS + ANNOUNCE_MS
  const levels = Array.from({ length: Math.max(level, record.levels.length) }, (_, index) => {
    const known = record.levels[index] ?? 0
    return index < level ? Math.max(known, untilMs) : known
  })
  return { ...record, levels }
}

/** The record with an entry, in place of an earlier one with its id. */
export function withEntry(record: SentRecord, entry: SentEntry): SentRecord {
  const others = record.entries.filter(({ id }) => id !== entry.id)
  return { ...record, entries: [...others, entry].slice(-ENTRIES_MAX) }
}

/** The record without the entry of an id. */
export function withoutEntry(record: SentRecord, id: string): SentRecord {
  return { ...record, entries: record.entries.filter((entry) => entry.id !== id) }
}
