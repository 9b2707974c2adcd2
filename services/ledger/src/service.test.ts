import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connectNats,
  createClient,
  createLogger,
  createMetrics,
  decodeEvents,
  ensureStreams,
  makeEvent,
  readPlatformConfig,
  startConsumer,
  subjects,
} from '@stampede/platform'
import { platformEnv, testKeys, testNats, testPostgres } from '@stampede/platform/testing'
import type { Event } from '@stampede/proto/events/v1'
import { LedgerServiceService } from '@stampede/proto/ledger/v1'
import { service } from './index.ts'
import { BRAND, codeOf, member, saleOf } from './testing/ledger.ts'

test('as a service it answers over gRPC, follows enrolments, sends events, and has all of it after a restart', async () => {
  await using postgres = await testPostgres()
  await using broker = await testNats()
  const keys = testKeys()
  const env = platformEnv({ postgres, nats: broker, keys })
  const logger = createLogger('test', 'silent')
  await using nats = await connectNats({ url: broker.url, name: 'test', logger })
  await ensureStreams(nats)
  const brand = { brand: BRAND, name: 'Demo', timeZone: 'Europe/Berlin', currency: 'EUR' }
  await (await nats.kv('brands')).put(BRAND, JSON.stringify(brand))
  const enrolment = makeEvent(
    {
      brand: BRAND,
      aggregateKind: 'member',
      aggregateId: member('eve'),
      aggregateVersion: 1n,
      eventTime: new Date(),
      schema: 'enrollment.member.v1',
      payload: { $case: 'member', value: memberState() },
    },
    new Date(),
  )
  await nats.jetstream.publish(enrolment.subject, enrolment.payload, { msgID: enrolment.id })

  const connect = (port: number) =>
    createClient(LedgerServiceService, {
      address: `127.0.0.1:${port}`,
      apiKey: keys.rootKey,
      platform: readPlatformConfig(env),
    })
  let receiptId = ''
  const occurredAt = new Date(Date.now() - 60_000)
  {
    await using running = await service.start(env)
    await using client = connect(running.grpcPort)
    await client.putProgramme({
      idempotencyKey: 'programme',
      brand: BRAND,
      programme: { earnBasisPoints: 500, pointsLiveDays: 365, maxPayBasisPoints: 10_000, pointValueMinor: 1n },
    })
    const posted = await client.postReceipt(saleOf('ann', '1', { occurredAt }))
    receiptId = posted.receiptId
    assert.equal(posted.pointsEarned, 100n)
    assert.equal(await codeOf(client.getBalance({ brand: 'rival', memberId: member('ann') })), 'NOT_FOUND')
    const events = await eventsOf(nats, 2)
    assert.deepEqual(
      events.map(({ aggregateKind, aggregateVersion }) => [aggregateKind, aggregateVersion]),
      [
        ['account', 1n],
        ['receipt', 1n],
      ],
    )
    while ((await codeOf(client.getBalance({ brand: BRAND, memberId: member('eve') }))) === 'NOT_FOUND');
  }
  await using again = await service.start(env)
  await using client = connect(again.grpcPort)
  assert.equal((await client.postReceipt(saleOf('ann', '1', { occurredAt }))).receiptId, receiptId)
  const { balance } = await client.getBalance({ brand: BRAND, memberId: member('ann') })
  assert.equal(balance?.available, 100n)
})

function memberState() {
  return {
    memberId: member('eve'),
    cardNumber: '',
    status: 'active',
    locale: 'en',
    marketingConsent: true,
    sealedFirstName: undefined,
    enrolledAt: new Date(),
    storeId: '',
  }
}

async function eventsOf(nats: Awaited<ReturnType<typeof connectNats>>, count: number): Promise<readonly Event[]> {
  const seen: Event[] = []
  const done = Promise.withResolvers<void>()
  await using _consumer = await startConsumer({
    nats,
    stream: 'EVENTS',
    durable: 'test',
    filterSubjects: [subjects.account('*'), subjects.receipt('*')],
    batchMax: 10,
    expiresMs: 1_000,
    logger: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
    handle: async (batch) => {
      seen.push(...decodeEvents(batch))
      if (seen.length >= count) done.resolve()
    },
  })
  await done.promise
  return seen
}
