import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { streams, subjects } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { GoogleWork } from '@stampede/proto/push/v1'
import { notificationsPerDay, readGoogleLog } from '@stampede/sandbox'
import { classFields, classId, GoogleSide, issuer, objectFields } from '../testing/google-side.ts'
import { sendToTheEnd } from './queue.ts'

describe('desired states, against a broker and a strict stand-in for Google', () => {
  let side: GoogleSide

  before(async () => {
    side = await GoogleSide.start()
  })

  after(() => side[Symbol.asyncDispose]())

  beforeEach(() => side.renew({ googleRps: 1_000 }))

  function points(balance: number): object {
    return { ...objectFields, loyaltyPoints: { balance: { int: balance } } }
  }

  function outcomeOf(id: string, version: bigint): string | undefined {
    return side.results.find((one) => one.resourceId === id && one.version === version)?.outcome
  }

  async function settled(id: string, version: bigint, deadlineMs?: number): Promise<void> {
    await until(`${id} ${version} has an outcome`, () => outcomeOf(id, version) !== undefined, deadlineMs)
  }

  test('a class and its objects are created within the rate, one call each', async () => {
    const ids = Array.from({ length: 45 }, (_, index) => `${issuer}.card-${index}`)
    await side.want(classId, 1n, classFields)
    for (const [index, id] of ids.entries()) await side.want(id, 1n, points(index))
    const startMs = performance.now()
    await side.startReplica(20)
    await until('all are there', () => side.results.length === 46)
    const tookMs = performance.now() - startMs
    assert.ok(side.results.every(({ outcome, status }) => outcome === 'accepted' && status === 200))
    assert.deepEqual(side.statuses(), { 200: 47 }, '46 writes and one token')
    assert.ok(tookMs > 2_750, `46 calls at four fifths of 20 per second: ${tookMs} ms`)
    assert.deepEqual(side.sandbox.google.store.get('loyaltyObject', `${issuer}.card-44`)?.['loyaltyPoints'], {
      balance: { int: 44 },
    })
    assert.equal(side.sandbox.google.store.get('loyaltyClass', classId)?.['reviewStatus'], 'APPROVED')
    await until('the queue is empty', async () => (await side.queued()) === 0)
  })

  test('every type of pass has classes and objects, and messages reach them', async () => {
    const name = { defaultValue: { language: 'en', value: 'Name' } }
    const reviewed = { issuerName: 'Demo', reviewStatus: 'UNDER_REVIEW' }
    const types = {
      offer: [{ ...reviewed, provider: 'Demo', title: 'A tenth off', redemptionChannel: 'BOTH' }, {}],
      giftCard: [reviewed, { cardNumber: '1' }],
      generic: [{}, { cardTitle: name, header: name }],
      eventTicket: [{ ...reviewed, eventName: name }, {}],
    } as const
    await side.startReplica(1_000)
    for (const [type, [ofClass, ofObject]] of Object.entries(types)) {
      const [classOf, id] = [`${issuer}.${type}`, `${issuer}.${type}.one`]
      await side.want(classOf, 1n, ofClass, { kind: `${type}Class` })
      await side.want(id, 1n, { classId: classOf, state: 'ACTIVE', ...ofObject }, { kind: `${type}Object` })
      await settled(id, 1n)
      // Twice: a changed resource is patched, and what the desired state leaves out goes.
      await side.want(id, 2n, { classId: classOf, state: 'EXPIRED', ...ofObject }, { kind: `${type}Object` })
      await settled(id, 2n)
      await side.send(`news-${type}`, { passType: type, classId: classOf, objectIds: [id] })
      const { store } = side.sandbox.google
      const messages = () =>
        store.get(`${type}Object` as 'offerObject', id)?.['messages'] as readonly unknown[] | undefined
      await until(`the message of ${type}`, () => messages()?.length === 1)
      assert.equal(store.get(`${type}Object` as 'offerObject', id)?.['state'], 'EXPIRED')
    }
    assert.ok(side.results.every(({ outcome }) => outcome === 'accepted'))
  })

  test('objects wait for their class, without a call for each of them', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `${issuer}.early-${index}`)
    for (const id of ids) await side.want(id, 1n, objectFields)
    await side.startReplica(1_000)
    await until('one was tried', () => (side.statuses()[404] ?? 0) > 0)
    assert.equal(side.results.length, 0)
    assert.equal(await side.queued(), 60)
    await side.want(classId, 1n, classFields)
    await until('all are there', () => side.results.length === 61)
    assert.ok(side.results.every(({ outcome }) => outcome === 'accepted'))
    assert.ok((side.statuses()[404] ?? 0) <= 40, `${side.statuses()[404]} calls for nothing`)
  })

  test('the newest version wins, an older one that comes late changes nothing', async () => {
    const id = `${issuer}.busy`
    side.sandbox.setFaults({ google: { delayMs: 30 } })
    await side.want(classId, 1n, classFields)
    await side.startReplica(1_000)
    for (let version = 1n; version <= 40n; version++) await side.want(id, version, points(Number(version)))
    await settled(id, 40n)
    const { calls } = side.sandbox.google.statistics()
    await side.want(id, 7n, points(7))
    await until('the late one is gone', async () => (await side.queued()) === 0)
    assert.deepEqual(side.sandbox.google.store.get('loyaltyObject', id)?.['loyaltyPoints'], { balance: { int: 40 } })
    assert.equal(side.sandbox.google.statistics().calls, calls)
    const versions = side.results.filter(({ resourceId }) => resourceId === id).map(({ version }) => Number(version))
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    )
    assert.ok(versions.length < 40, 'a burst of changes was not coalesced')
  })

  test('a work that waits gives way to a newer state of its resource', async () => {
    const id = `${issuer}.overtaken`
    const lastSequence = async () => (await side.nats.manager.streams.info(streams.PUSH_GOOGLE)).state.last_seq
    await side.want(id, 1n, points(1))
    const firstSequence = await lastSequence()
    await side.startReplica(100)
    await until('it went to the end of the queue', async () => (await lastSequence()) > firstSequence)
    await side.want(id, 2n, points(2))
    const sequence = await lastSequence()
    await until('the newer one went there as well', async () => (await lastSequence()) > sequence)
    assert.equal(await side.queued(), 1)
    await side.want(classId, 1n, classFields)
    await settled(id, 2n)
    assert.equal(outcomeOf(id, 1n), undefined)
    assert.deepEqual(side.sandbox.google.store.get('loyaltyObject', id)?.['loyaltyPoints'], { balance: { int: 2 } })
  })

  test('sending an overtaken work to the end leaves the newer one where it is', async () => {
    const id = `${issuer}.raced`
    const subject = subjects.google(issuer, 'loyaltyObject', id)
    const work = GoogleWork.fromPartial({ brand: 'demo', resourceId: id, version: 1n })
    const data = GoogleWork.encode(work).finish()
    const inHand = (sequence: number) => {
      const delivery = { subject, data, sequence, deliveries: 1, timestampMs: 0, working: () => {} }
      return { delivery, work, key: `loyaltyObject/${id}` }
    }
    const old = await side.nats.jetstream.publish(subject, data)
    const newer = await side.nats.jetstream.publish(subject, data)
    assert.equal(await sendToTheEnd(side.nats, inHand(old.seq)), false)
    assert.equal((await side.nats.manager.streams.info(streams.PUSH_GOOGLE)).state.last_seq, newer.seq)
    assert.equal(await sendToTheEnd(side.nats, inHand(newer.seq)), true)
    assert.equal((await side.nats.manager.streams.info(streams.PUSH_GOOGLE)).state.last_seq, newer.seq + 1)
    assert.equal(await side.queued(), 1)
  })

  test('after a restart what exists is asked for once only, loses what it should not have and keeps its messages', async () => {
    const id = `${issuer}.kept`
    const { store } = side.sandbox.google
    await side.want(classId, 1n, classFields)
    await side.want(id, 1n, { ...points(1), accountName: 'Ann' })
    await side.startReplica(100)
    await settled(id, 1n)
    const added = store.addMessage('loyaltyObject', id, { message: { id: 'm', header: 'a', body: 'b' } }, Date.now())
    assert.ok(added.ok)
    store.commit(added.write, Date.now())
    await side.stop()
    await side.startReplica(100)
    await side.want(id, 2n, { ...objectFields, loyaltyPoints: { balance: { string: '3000000000' } } })
    await settled(id, 2n)
    const stored = store.get('loyaltyObject', id)
    assert.deepEqual(stored?.['loyaltyPoints'], { balance: { string: '3000000000' } })
    assert.equal(stored?.['accountName'], undefined)
    assert.deepEqual(side.messagesOn(id), ['m'])
    assert.equal(side.statuses()[409], 1)
    await side.want(id, 3n, points(3))
    await settled(id, 3n)
    await side.want(classId, 2n, { ...classFields, programName: 'Renamed' })
    await settled(classId, 2n)
    assert.equal(side.statuses()[409], 2, 'the class was not seen since the restart, the object was')
    assert.equal(store.get('loyaltyClass', classId)?.['programName'], 'Renamed')
  })

  test('of two replicas one writes a resource at a time, and the newest version stays', async () => {
    const [id = ''] = side.seed('shared', 1)
    side.sandbox.setFaults({ google: { delayMs: 60 } })
    await side.startReplica(1_000)
    await side.startReplica(1_000)
    for (let version = 1n; version <= 60n; version++) await side.want(id, version, points(Number(version)))
    await settled(id, 60n)
    await until('the queue is empty', async () => (await side.queued()) === 0)
    assert.deepEqual(side.sandbox.google.store.get('loyaltyObject', id)?.['loyaltyPoints'], { balance: { int: 60 } })
    const rows = (await readGoogleLog(side.sandbox.dir)).filter((row) => row.id === id)
    assert.ok(
      rows.every((row, index) => row.at - (rows[index - 1]?.at ?? 0) >= 50),
      'calls overlapped',
    )
  })

  test('a change whose holder was told three times today is made without telling, and says so', async () => {
    const [id = ''] = side.seed('told', 1)
    await side.startReplica(1_000)
    for (let version = 1n; version <= 4n; version++) {
      await side.want(id, version, { ...points(Number(version)), notifyPreference: 'NOTIFY_ON_UPDATE' })
      await settled(id, version)
    }
    assert.deepEqual(side.sandbox.google.store.get('loyaltyObject', id)?.['loyaltyPoints'], { balance: { int: 4 } })
    assert.deepEqual(
      side.results.map(({ outcome, reason }) => `${outcome} ${reason}`),
      ['accepted ', 'accepted ', 'accepted ', 'accepted notNotified'],
    )
    assert.equal(side.statuses()[403], undefined)
    assert.equal(notificationsPerDay(await readGoogleLog(side.sandbox.dir)), 3)
  })

  test('an issuer that is refused or slow does not hold up another one', async () => {
    side.addBrand('other', '77')
    side.sandbox.setFaults({ google: { onlyIssuer: issuer, delayMs: 2_000, failShare: 0.5 } })
    await side.want(classId, 1n, classFields)
    for (let index = 0; index < 100; index++) await side.want(`${issuer}.slow-${index}`, 1n, objectFields)
    await side.startReplica(1_000)
    await until('the slow one is under way', () => side.sandbox.google.statistics().calls > 1)
    await side.want('77.demo-v1', 1n, classFields, { brand: 'other' })
    for (let index = 0; index < 40; index++) {
      await side.want(`77.fast-${index}`, 1n, { classId: '77.demo-v1', state: 'ACTIVE' }, { brand: 'other' })
    }
    await until('the other is done', () => side.results.filter(({ brand }) => brand === 'other').length === 41, 5_000)
    assert.ok(side.results.filter(({ brand }) => brand === 'demo').length < 50)
  })

  test('throttling and trouble at Google are survived', async () => {
    side.sandbox.setFaults({ google: { googleRps: 15, failShare: 0.3 } })
    const ids = Array.from({ length: 40 }, (_, index) => `${issuer}.rough-${index}`)
    await side.want(classId, 1n, classFields)
    for (const id of ids) await side.want(id, 1n, objectFields)
    await side.startReplica(60)
    await until('all are there', () => side.results.length === 41, 60_000)
    assert.ok(side.results.every(({ outcome }) => outcome === 'accepted'))
    assert.ok((side.statuses()[429] ?? 0) > 0 && (side.statuses()[503] ?? 0) > 0, JSON.stringify(side.statuses()))
    assert.equal(side.sandbox.google.statistics().objects, 40)
  })

  test('nothing is lost while Google is away', async () => {
    side.sandbox.setFaults({ google: { failShare: 1 } })
    await side.want(classId, 1n, classFields)
    await side.startReplica(100)
    await until('it was tried', () => (side.statuses()[503] ?? 0) >= 5)
    assert.equal(await side.queued(), 1)
    assert.equal(side.results.length, 0)
    side.sandbox.setFaults({ google: { failShare: 0 } })
    await settled(classId, 1n, 40_000)
    assert.equal(outcomeOf(classId, 1n), 'accepted')
  })

  test('what Google or common sense refuses is rejected with the reason', async () => {
    side.addBrand('foreign', '99', side.sandbox.serviceAccount('98'))
    side.addBrand('owner', '98')
    const id = `${issuer}.bad`
    await side.want('99.theirs', 1n, classFields, { brand: 'foreign' })
    await side.want('98.other', 1n, classFields, { brand: 'foreign' })
    await side.want(classId, 1n, classFields)
    await side.want(id, 1n, { classId })
    await side.want(`${issuer}.json`, 1n, objectFields, { resourceJson: '{' })
    await side.want(`${issuer}.kind`, 1n, objectFields, { kind: 'flightObject' })
    await side.want(`${issuer}.messages`, 1n, { ...objectFields, messages: [] })
    await side.startReplica(100)
    await until('all have an outcome', () => side.results.length === 7)
    const told = side.results.map(({ resourceId, outcome, status, reason }) => [resourceId, outcome, status, reason])
    assert.deepEqual(
      told.toSorted(),
      [
        [classId, 'accepted', 200, ''],
        [id, 'rejected', 400, 'badRequest'],
        [`${issuer}.json`, 'rejected', 0, 'badResourceJson'],
        [`${issuer}.kind`, 'rejected', 0, 'unknownKind'],
        [`${issuer}.messages`, 'rejected', 0, 'messagesInResource'],
        ['98.other', 'rejected', 0, 'issuerNotOfBrand'],
        ['99.theirs', 'rejected', 403, 'permissionDenied'],
      ].toSorted(),
    )
    await until('the queue is empty', async () => (await side.queued()) === 0)
  })

  test('a brand without an account waits for it and holds nobody up', async () => {
    side.addBrand('late', '55')
    const account = side.accounts.get('late')
    side.accounts.delete('late')
    for (let index = 0; index < 60; index++) await side.want(`55.class-${index}`, 1n, classFields, { brand: 'late' })
    await side.want(classId, 1n, classFields)
    await side.startReplica(1_000)
    await settled(classId, 1n)
    await until('only they are left', async () => (await side.queued()) === 60)
    assert.equal(side.results.length, 1)
    assert.ok(account !== undefined)
    side.accounts.set('late', account)
    await until('all of them are there', () => side.results.length === 61)
    assert.ok(side.results.every(({ outcome }) => outcome === 'accepted'))
  })

  test('a message that is no work does not hold others up', async () => {
    await side.nats.jetstream.publish(subjects.google(issuer, 'loyaltyClass', 'x'), Buffer.from([0xff]))
    await side.want(classId, 1n, classFields)
    await side.startReplica(100)
    await settled(classId, 1n)
    await until('only the bad one is left', async () => (await side.queued()) === 1)
    assert.equal(side.results.length, 1)
  })
})
