import {
  type Consumer,
  checkUuid,
  type Database,
  type Delivery,
  decodeEvents,
  type Logger,
  type Metrics,
  type Nats,
  startConsumer,
  subjects,
} from '@stampede/platform'
import { enrollAccounts } from '../store/accounts.ts'
import { pointsOf, sortAccounts } from '../store/keys.ts'

const BATCH_MAX = 500
const EXPIRES_MS = 5_000

/** Follows enrolments, so that a member without postings has a balance of zero. */
export async function startMembers(options: {
  readonly nats: Nats
  readonly database: Database
  readonly logger: Logger
  readonly metrics: Metrics
}): Promise<Consumer> {
  const { nats, database, logger, metrics } = options
  return startConsumer({
    nats,
    stream: 'EVENTS',
    durable: 'ledger-members',
    filterSubjects: [subjects.member('*')],
    batchMax: BATCH_MAX,
    expiresMs: EXPIRES_MS,
    logger,
    metrics,
    handle: (batch) => handleMembers(database, batch),
  })
}

/** Makes accounts for the members of a batch of events; a repeat changes nothing. */
export async function handleMembers(
  database: Database,
  batch: readonly Pick<Delivery, 'data' | 'subject'>[],
): Promise<void> {
  const keys = decodeEvents(batch).flatMap(({ brand, payload }) =>
    payload?.$case === 'member' ? [pointsOf({ brand, memberId: checkUuid(payload.value.memberId, 'member_id') })] : [],
  )
  if (keys.length === 0) return
  await database.transaction((tx) => enrollAccounts(tx, sortAccounts(keys)))
}
