import {
  type Consumer,
  type Delivery,
  decodeEvents,
  type Logger,
  type Metrics,
  type Nats,
  newestPerAggregate,
  startConsumer,
  subjects,
} from '@stampede/platform'
import type { Event } from '@stampede/proto/events/v1'
import type { Context } from '../context.ts'
import { putMembers, putPasses } from '../store/reach.ts'

const batchMax = 1_000
const requestStandsMs = 5_000

/** Follows consent and blocking of members, and whose pass each number is. */
export function startReach(context: Context, nats: Nats, logger: Logger, metrics: Metrics): Promise<Consumer> {
  return startConsumer({
    nats,
    stream: 'EVENTS',
    durable: 'campaigns-reach',
    filterSubjects: [subjects.member('*'), subjects.pass('*')],
    batchMax,
    expiresMs: requestStandsMs,
    logger,
    metrics,
    handle: (batch) => applyReach(context, batch),
  })
}

/** Applies a batch; older versions and repeats change nothing. */
export async function applyReach({ database }: Context, batch: readonly Delivery[]): Promise<void> {
  const events = newestPerAggregate(decodeEvents(batch))
  await database.transaction(async (tx) => {
    await putMembers(tx, events.flatMap(memberOf))
    await putPasses(tx, events.flatMap(passOf))
  })
}

function memberOf({ brand, aggregateVersion, payload }: Event) {
  if (payload?.$case !== 'member') return []
  const { memberId, status, marketingConsent } = payload.value
  return [{ brand, memberId, version: aggregateVersion, reachable: status === 'active' && marketingConsent }]
}

function passOf({ brand, payload }: Event) {
  if (payload?.$case !== 'pass') return []
  return [{ brand, no: payload.value.no, memberId: payload.value.memberId }]
}
