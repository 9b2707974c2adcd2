import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Event } from '@stampede/proto/events/v1'
import { openDatabase } from './database.ts'
import { claimInbox, decodeEvents, makeEvent, newestPerAggregate } from './events.ts'
import { isLastWins, subjects, subjectToken } from './subjects.ts'
import { tempDir, testParts, testPostgres } from './testing/index.ts'

const now = new Date('2026-11-27T08:00:00Z')

function relevance(brand: string, memberId: string, version: bigint) {
  return makeEvent(
    {
      brand,
      aggregateKind: 'relevance',
      aggregateId: memberId,
      aggregateVersion: version,
      eventTime: now,
      schema: 'geo.relevance.v1',
      payload: { $case: 'relevance', value: { memberId, places: [], beacons: [] } },
    },
    now,
  )
}

test('an event goes to the subject of its kind and is read back as it was', () => {
  const message = relevance('acme', 'm1', 3n)
  assert.equal(message.subject, 'geo.acme.relevance')
  const [event] = decodeEvents([{ subject: message.subject, data: message.payload }])
  assert.equal(event?.id, message.id)
  assert.equal(event?.aggregateVersion, 3n)
  assert.deepEqual(event?.recordedAt, now)
  assert.deepEqual(event?.payload, { $case: 'relevance', value: { memberId: 'm1', places: [], beacons: [] } })
})

test('what is not an event is refused', () => {
  for (const data of [Buffer.from('not an event'), new Uint8Array()]) {
    assert.throws(() => decodeEvents([{ subject: 'geo.acme.relevance', data }]), /geo\.acme\.relevance/)
  }
})

test('of each aggregate only the highest version is kept, whatever the order', () => {
  const messages = [relevance('a', 'm', 2n), relevance('b', 'm', 1n), relevance('a', 'm', 3n), relevance('a', 'm', 1n)]
  const events = newestPerAggregate(messages.map(({ payload }) => Event.decode(payload)))
  assert.deepEqual(
    events.map(({ brand, aggregateVersion }) => [brand, aggregateVersion]),
    [
      ['b', 1n],
      ['a', 3n],
    ],
  )
})

test('the inbox gives each event to each consumer once, and again if its transaction failed', async () => {
  const { logger } = testParts()
  using dir = tempDir('none')
  await using postgres = await testPostgres()
  await using database = await openDatabase({
    url: postgres.url,
    schema: 'campaigns',
    migrationsDir: pathToFileURL(dir.path),
    logger,
  })
  const claim = (consumer: string, ids: readonly string[]) =>
    database.transaction(async (tx) => [...(await claimInbox(tx, consumer, ids))].sort())
  const failing = database.transaction(async (tx) => {
    await claimInbox(tx, 'one', ['a'])
    throw new Error('effect failed')
  })
  await assert.rejects(failing, /effect failed/)
  assert.deepEqual(await claim('one', ['b', 'a', 'a']), ['a', 'b'])
  assert.deepEqual(await claim('one', ['a', 'c']), ['c'])
  assert.deepEqual(await claim('two', ['a']), ['a'])
  assert.deepEqual(await claim('two', []), [])
  const both = await Promise.all([claim('three', ['x', 'y', 'z']), claim('three', ['z', 'y', 'x'])])
  assert.deepEqual(both.flat().sort(), ['x', 'y', 'z'])
})

test('a text with dots is one token of a subject, and no two texts share one', () => {
  assert.equal(
    subjects.google('3388000', 'loyaltyObject', '3388000.member-1'),
    'push.google.3388000.loyaltyObject.3388000=2emember-1',
  )
  const tokens = ['a.b', 'a=2eb', 'a b', 'a*b', 'a>b', 'ä', 'ab'].map(subjectToken)
  assert.equal(new Set(tokens).size, tokens.length)
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9_=-]+$/)
  assert.throws(() => subjects.account(''))
  assert.equal(subjects.account('*'), 'ledger.*.account')
})

test('directories and desired states are subjects where the last one wins', () => {
  assert.ok(isLastWins(subjects.brandKey('acme')))
  assert.ok(isLastWins(subjects.google('1', 'loyaltyClass', '1.a')))
  assert.ok(!isLastWins(subjects.account('acme')))
  assert.ok(!isLastWins(subjects.googleResult('acme')))
})
