import { type Delivery, type Sql, writeOutbox } from '@stampede/platform'
import { PushOutcome, PushResult } from '@stampede/proto/push/v1'
import type { Context } from '../context.ts'
import { uuidTime } from '../domain/uuid-time.ts'
import { passEvent } from '../events.ts'
import { bumpTime } from '../store/bumps.ts'
import { type DeadToken, dropDeadDevices } from '../store/registrations.ts'

/** Forgets devices whose push tokens APNs calls dead, unless the phone has named its token since. */
export async function handleResults(context: Context, batch: readonly Delivery[]): Promise<void> {
  const byBrand = Map.groupBy(
    batch.map(({ data }) => PushResult.decode(data)),
    (result) => result.brand,
  )
  for (const [brand, results] of byBrand) {
    if (!results.some((result) => result.outcomes.includes(PushOutcome.PUSH_OUTCOME_DEAD_TOKEN))) continue
    await context.database.transaction((tx) => dropDead(context, tx, brand, results))
  }
  context.relay.wake()
}

async function dropDead(context: Context, tx: Sql, brand: string, results: readonly PushResult[]): Promise<void> {
  const dead: DeadToken[] = []
  for (const result of results) dead.push(...(await deadTokens(tx, brand, result)))
  const newest = new Map<string, DeadToken>()
  for (const item of dead) {
    const known = newest.get(item.deviceLibraryId)
    if (known === undefined || known.notConfirmedAfter < item.notConfirmedAfter) newest.set(item.deviceLibraryId, item)
  }
  const now = context.clock.now()
  const changes = await dropDeadDevices(tx, brand, [...newest.values()])
  const hasGoogle = (context.brands.get(brand)?.googleIssuerId ?? '') !== ''
  const events = changes.map(({ eventVersion, ...change }) =>
    passEvent(brand, { ...change, googleObject: hasGoogle }, eventVersion, now),
  )
  await writeOutbox(tx, events)
  context.meters.deadTokens.inc({ brand }, newest.size)
}

async function deadTokens(tx: Sql, brand: string, result: PushResult): Promise<readonly DeadToken[]> {
  const indexes = [...result.outcomes.keys()].filter(
    (index) => result.outcomes[index] === PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
  )
  if (indexes.length === 0) return []
  // Where APNs does not say since when (BadDeviceToken), the token was the phone's when it was attached to the chunk:
  // only a phone that has not named its token since can still have the dead one.
  const attachedAt = await attachTime(tx, brand, result)
  return indexes.flatMap((index) => {
    const deviceLibraryId = result.deviceLibraryId[index]
    const since = Number(result.deadSinceMs[index] ?? 0n)
    return deviceLibraryId === undefined
      ? []
      : [{ deviceLibraryId, notConfirmedAfter: since > 0 ? new Date(since) : attachedAt }]
  })
}

async function attachTime(tx: Sql, brand: string, result: PushResult): Promise<Date> {
  const [campaignId = '', index = ''] = result.chunkId.split('/')
  const bumped = result.campaignId === '' ? undefined : await bumpTime(tx, brand, campaignId, Number(index))
  // A chunk of unknown age proves nothing: then no phone is forgotten.
  return bumped ?? uuidTime(result.chunkId.split('/')[0] ?? '') ?? new Date(0)
}
