import { makeEvent, type OutboxMessage } from '@stampede/platform'
import type { RelevantPlaces } from './domain/relevance.ts'

/** The places that a member's pass carries from now on. */
export function relevanceChanged(
  brand: string,
  memberId: string,
  version: bigint,
  list: RelevantPlaces,
  now: Date,
): OutboxMessage {
  return makeEvent(
    {
      brand,
      aggregateKind: 'relevance',
      aggregateId: memberId,
      aggregateVersion: version,
      eventTime: now,
      schema: 'geo.relevance.v1',
      payload: { $case: 'relevance', value: { memberId, places: [...list.places], beacons: [...list.beacons] } },
    },
    now,
  )
}
