import { type BrandInfo, failedPrecondition } from '@stampede/platform'
import { localDay } from '../domain/calendar.ts'
import type { Command, Decision } from '../domain/decide.ts'
import type { Programme } from '../domain/programme.ts'
import { larger } from '../domain/shares.ts'
import { type OfflineDay, offlineText } from '../store/offline-days.ts'
import type { Item, ItemRequest } from './item.ts'
import type { WorkingSet } from './working-set.ts'

/** The member's day that a receipt of a till without a connection counts for; undefined for all else. */
export function offlineDayOf(
  { brand, memberId, request }: Item,
  info: Pick<BrandInfo, 'timeZone'> | undefined,
): Omit<OfflineDay, 'points'> | undefined {
  if (request.kind !== 'sale' || !request.isOffline || info === undefined) return undefined
  return { brand, memberId, day: localDay(request.occurredAtMs, info.timeZone) }
}

/** Points that such a receipt may still take; throws where points cannot pay without a connection. */
export function offlineLeft(
  set: WorkingSet,
  item: Item,
  { pointsToPay }: Extract<ItemRequest, { kind: 'sale' }>,
  { offlinePayLimit }: Programme,
  brand: BrandInfo,
): bigint {
  if (pointsToPay > 0n && offlinePayLimit === 0n) {
    throw failedPrecondition('points cannot pay at a till without a connection')
  }
  const day = offlineDayOf(item, brand)
  const taken = (day && set.offlineDays.get(offlineText(day))?.points) ?? 0n
  return larger(offlinePayLimit - taken, 0n)
}

/** Counts what a receipt of a till without a connection has taken. */
export function countOffline(
  set: WorkingSet,
  item: Item,
  command: Command,
  { outcome }: Decision,
  brand: BrandInfo,
): void {
  const day = offlineDayOf(item, brand)
  if (day === undefined || command.kind !== 'sale' || outcome.kind !== 'sale' || outcome.spent === 0n) return
  const text = offlineText(day)
  const taken = set.offlineDays.get(text)?.points ?? 0n
  set.offlineDays.set(text, { ...day, points: taken + outcome.spent })
  set.changedOfflineDays.add(text)
}
