import { join } from 'node:path'
import { readRows } from '../journal.ts'
import type { GoogleRow } from '../rows.ts'
import { NOTIFICATION_WINDOW_MS } from './store.ts'

const SECOND_MS = 1_000

/** Calls of the Google stand-in, out of the folder of a sandbox: all that were answered until now. */
export async function readGoogleLog(dir: string): Promise<readonly GoogleRow[]> {
  return Array.fromAsync(readRows<GoogleRow>(join(dir, 'google.ndjson')))
}

/** The most calls of an issuer that arrived within any second. */
export function busiestSecond(rows: readonly GoogleRow[], issuer: string): number {
  const instants = rows.filter((row) => row.issuer === issuer).map(({ at }) => at)
  return mostWithin(instants, SECOND_MS)
}

/** Calls of an issuer that were refused because there were too many. */
export function overruns(rows: readonly GoogleRow[], issuer: string): number {
  return rows.filter((row) => row.issuer === issuer && row.status === 429).length
}

/**
 * The most notifications that the holder of any object got within 24 hours. One of a class counts for each of its
 * objects; one of a class without objects that were notified themselves counts alone.
 */
export function notificationsPerDay(rows: readonly GoogleRow[]): number {
  const ofClass = new Map<string, number[]>()
  const ofObject = new Map<string, { readonly classId: string; readonly instants: number[] }>()
  for (const { kind, id, at, notifying, resource } of rows) {
    if (notifying !== true) continue
    if (kind === 'loyaltyClass') ofClass.set(id, [...(ofClass.get(id) ?? []), at])
    else {
      const known = ofObject.get(id) ?? { classId: String(resource?.['classId']), instants: [] }
      known.instants.push(at)
      ofObject.set(id, known)
    }
  }
  const objects = [...ofObject.values()].map(({ classId, instants }) => [...instants, ...(ofClass.get(classId) ?? [])])
  return Math.max(
    0,
    ...[...objects, ...ofClass.values()].map((instants) => mostWithin(instants, NOTIFICATION_WINDOW_MS)),
  )
}

function mostWithin(instants: readonly number[], windowMs: number): number {
  const sorted = instants.toSorted((a, b) => a - b)
  let most = 0
  let first = 0
  for (const [last, at] of sorted.entries()) {
    while ((sorted[first] ?? at) <= at - windowMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
