import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import {
  type BrandInfo,
  connectNats,
  ensureStreams,
  type GoogleCredential,
  type Nats,
  streams,
  subjects,
} from '@stampede/platform'
import { type TestNats, tempDir, testNats, testParts, until } from '@stampede/platform/testing'
import { GoogleResult, GoogleWork } from '@stampede/proto/push/v1'
import type { Sandbox } from '@stampede/sandbox'
import { startTestSandbox } from '@stampede/sandbox/testing'
import { startGoogle } from './index.ts'
import { sendToTheEnd } from './queue.ts'

const issuer = '3388000000012345678'
const classId = `${issuer}.demo-v1`
const classFields = {
  issuerName: 'Demo',
  programName: 'Demo Club',
  programLogo: { sourceUri: { uri: 'https://example.com/logo.png' } },
  reviewStatus: 'UNDER_REVIEW',
}
const objectFields = { classId, state: 'ACTIVE' }

describe('the Google side, against a broker and a strict stand-in for Google', () => {
  const dir = tempDir('google')
  const caFile = join(dir.path, 'ca.pem')
  let natsServer: TestNats
  let nats: Nats
  let sandbox: Sandbox
  let results: GoogleResult[] = []
  const infos = new Map<string, BrandInfo>()
  const accounts = new Map<string, GoogleCredential>()
  const running: AsyncDisposable[] = []

  before(async () => {
    natsServer = await testNats()
    nats = await connectNats({ url: natsServer.url, name: 'test', logger: testParts().logger })
    await ensureStreams(nats)
    nats.connection.subscribe(subjects.googleResult('*'), {
      callback: (_error, message) => {
        results.push(GoogleResult.decode(message.data))
      },
    })
  })

  after(async () => {
    await nats[Symbol.asyncDispose]()
    await natsServer[Symbol.asyncDispose]()
    dir[Symbol.dispose]()
  })

  beforeEach(async () => {
    sandbox = await startTestSandbox()
    writeFileSync(caFile, sandbox.authority.webRootPem)
    results = []
    addBrand('demo', issuer)
  })

  afterEach(async () => {
    await stop()
    await sandbox[Symbol.asyncDispose]()
    await nats.manager.streams.purge(streams.PUSH_GOOGLE)
    await nats.manager.streams.purge(streams.PUSH_RESULT)
  })

  function addBrand(brand: string, googleIssuerId: string, account = sandbox.serviceAccount(googleIssuerId)): void {
    const rest = { timeZone: 'UTC', currency: 'EUR', passTypeId: '', teamId: '', contact: '', maxBulkPerSecond: 0 }
    infos.set(brand, { brand, name: brand, googleIssuerId, weight: 10, ...rest })
    accounts.set(brand, account)
  }

  async function start(maxPerSecond: number): Promise<void> {
    const url = `https://localhost:${sandbox.googlePort}`
    const none = async (): Promise<void> => {}
    running.push(
      await startGoogle({
        nats,
        brands: {
          get: (brand) => infos.get(brand),
          list: () => [...infos.values()],
          onChange: () => {},
          [Symbol.asyncDispose]: none,
        },
        credentials: {
          apple: () => undefined,
          google: (brand) => accounts.get(brand),
          onChange: () => {},
          [Symbol.asyncDispose]: none,
        },
        config: { url, tokenUrl: `${url}/token`, caFile, maxPerSecond },
        ...testParts('push-dispatcher'),
      }),
    )
  }

  async function stop(): Promise<void> {
    for (const one of running.splice(0)) await one[Symbol.asyncDispose]()
  }

  async function want(id: string, version: bigint, fields: object, more: Partial<GoogleWork> = {}): Promise<void> {
    const work = GoogleWork.fromPartial({
      brand: 'demo',
      issuerId: id.split('.')[0] ?? '',
      kind: 'classId' in fields ? 'loyaltyObject' : 'loyaltyClass',
      resourceId: id,
      version,
      resourceJson: JSON.stringify({ id, ...fields }),
      createdAt: new Date(),
      ...more,
    })
    const subject = subjects.google(work.issuerId, work.kind, id)
    await nats.jetstream.publish(subject, GoogleWork.encode(work).finish())
  }

  function points(balance: number): object {
    return { ...objectFields, loyaltyPoints: { balance: { int: balance } } }
  }

  function outcomeOf(id: string, version: bigint): string | undefined {
    return results.find((one) => one.resourceId === id && one.version === version)?.outcome
  }

  async function settled(id: string, version: bigint, deadlineMs?: number): Promise<void> {
    await until(`${id} ${version} has an outcome`, () => outcomeOf(id, version) !== undefined, deadlineMs)
  }

  async function queued(): Promise<number> {
    return (await nats.manager.streams.info(streams.PUSH_GOOGLE)).state.messages
  }

  function statuses(): Readonly<Record<string, number>> {
    return sandbox.google.statistics().byStatus
  }

  test('a class and its objects are created within the rate, one call each', async () => {
    const ids = Array.from({ length: 45 }, (_, index) => `${issuer}.card-${index}`)
    await want(classId, 1n, classFields)
    for (const [index, id] of ids.entries()) await want(id, 1n, points(index))
    const startMs = performance.now()
    await start(20)
    await until('all are there', () => results.length === 46)
    const tookMs = performance.now() - startMs
    assert.ok(results.every(({ outcome, status }) => outcome === 'accepted' && status === 200))
    assert.deepEqual(statuses(), { 200: 47 }, '46 writes and one token')
    assert.ok(tookMs > ((46 - 5) / 20) * 1_000 - 50, `46 calls at 20 per second with a burst of 5: ${tookMs} ms`)
    assert.deepEqual(sandbox.google.store.get('loyaltyObject', `${issuer}.card-44`)?.['loyaltyPoints'], {
      balance: { int: 44 },
    })
    assert.equal(sandbox.google.store.get('loyaltyClass', classId)?.['reviewStatus'], 'APPROVED')
    await until('the queue is empty', async () => (await queued()) === 0)
  })

  test('objects wait for their class, without a call for each of them', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `${issuer}.early-${index}`)
    for (const id of ids) await want(id, 1n, objectFields)
    await start(1_000)
    await until('one was tried', () => (statuses()[404] ?? 0) > 0)
    assert.equal(results.length, 0)
    assert.equal(await queued(), 60)
    await want(classId, 1n, classFields)
    await until('all are there', () => results.length === 61)
    assert.ok(results.every(({ outcome }) => outcome === 'accepted'))
    assert.ok((statuses()[404] ?? 0) <= 40, `${statuses()[404]} calls for nothing`)
  })

  test('the newest version wins, an older one that comes late changes nothing', async () => {
    const id = `${issuer}.busy`
    sandbox.setFaults({ google: { delayMs: 30 } })
    await want(classId, 1n, classFields)
    await start(1_000)
    for (let version = 1n; version <= 40n; version++) await want(id, version, points(Number(version)))
    await settled(id, 40n)
    const { calls } = sandbox.google.statistics()
    await want(id, 7n, points(7))
    await until('the late one is gone', async () => (await queued()) === 0)
    assert.deepEqual(sandbox.google.store.get('loyaltyObject', id)?.['loyaltyPoints'], { balance: { int: 40 } })
    assert.equal(sandbox.google.statistics().calls, calls)
    const versions = results.filter(({ resourceId }) => resourceId === id).map(({ version }) => Number(version))
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    )
    assert.ok(versions.length < 40, 'a burst of changes was not coalesced')
  })

  test('a work that waits gives way to a newer state of its resource', async () => {
    const id = `${issuer}.overtaken`
    const lastSequence = async () => (await nats.manager.streams.info(streams.PUSH_GOOGLE)).state.last_seq
    await want(id, 1n, points(1))
    const firstSequence = await lastSequence()
    await start(100)
    await until('it went to the end of the queue', async () => (await lastSequence()) > firstSequence)
    await want(id, 2n, points(2))
    const sequence = await lastSequence()
    await until('the newer one went there as well', async () => (await lastSequence()) > sequence)
    assert.equal(await queued(), 1)
    await want(classId, 1n, classFields)
    await settled(id, 2n)
    assert.equal(outcomeOf(id, 1n), undefined)
    assert.deepEqual(sandbox.google.store.get('loyaltyObject', id)?.['loyaltyPoints'], { balance: { int: 2 } })
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
    const old = await nats.jetstream.publish(subject, data)
    const newer = await nats.jetstream.publish(subject, data)
    assert.equal(await sendToTheEnd(nats, inHand(old.seq)), false)
    assert.equal((await nats.manager.streams.info(streams.PUSH_GOOGLE)).state.last_seq, newer.seq)
    assert.equal(await sendToTheEnd(nats, inHand(newer.seq)), true)
    assert.equal((await nats.manager.streams.info(streams.PUSH_GOOGLE)).state.last_seq, newer.seq + 1)
    assert.equal(await queued(), 1)
  })

  test('after a restart what exists is replaced as a whole, and asked for once only', async () => {
    const id = `${issuer}.kept`
    await want(classId, 1n, classFields)
    await want(id, 1n, { ...points(1), accountName: 'Ann' })
    await start(100)
    await settled(id, 1n)
    await stop()
    await start(100)
    await want(id, 2n, points(2))
    await settled(id, 2n)
    assert.equal(sandbox.google.store.get('loyaltyObject', id)?.['accountName'], undefined)
    assert.equal(statuses()[409], 1)
    await want(id, 3n, points(3))
    await settled(id, 3n)
    await want(classId, 2n, { ...classFields, programName: 'Renamed' })
    await settled(classId, 2n)
    assert.equal(statuses()[409], 2, 'the class was not seen since the restart, the object was')
    assert.equal(sandbox.google.store.get('loyaltyClass', classId)?.['programName'], 'Renamed')
  })

  test('throttling and trouble at Google are survived', async () => {
    sandbox.setFaults({ google: { googleRps: 15, failShare: 0.3 } })
    const ids = Array.from({ length: 40 }, (_, index) => `${issuer}.rough-${index}`)
    await want(classId, 1n, classFields)
    for (const id of ids) await want(id, 1n, objectFields)
    await start(60)
    await until('all are there', () => results.length === 41, 60_000)
    assert.ok(results.every(({ outcome }) => outcome === 'accepted'))
    assert.ok((statuses()[429] ?? 0) > 0 && (statuses()[503] ?? 0) > 0, JSON.stringify(statuses()))
    assert.equal(sandbox.google.statistics().objects, 40)
  })

  test('nothing is lost while Google is away', async () => {
    sandbox.setFaults({ google: { failShare: 1 } })
    await want(classId, 1n, classFields)
    await start(100)
    await until('it was tried', () => (statuses()[503] ?? 0) >= 5)
    assert.equal(await queued(), 1)
    assert.equal(results.length, 0)
    sandbox.setFaults({ google: { failShare: 0 } })
    await settled(classId, 1n, 40_000)
    assert.equal(outcomeOf(classId, 1n), 'accepted')
  })

  test('what Google or common sense refuses is rejected with the reason', async () => {
    addBrand('foreign', '99', sandbox.serviceAccount('98'))
    const id = `${issuer}.bad`
    await want('99.theirs', 1n, classFields, { brand: 'foreign' })
    await want('98.other', 1n, classFields, { brand: 'foreign' })
    await want(classId, 1n, classFields)
    await want(id, 1n, { classId })
    await want(`${issuer}.json`, 1n, objectFields, { resourceJson: '{' })
    await want(`${issuer}.kind`, 1n, objectFields, { kind: 'offerObject' })
    await start(100)
    await until('all have an outcome', () => results.length === 6)
    const told = results.map(({ resourceId, outcome, status, reason }) => [resourceId, outcome, status, reason])
    assert.deepEqual(
      told.toSorted(),
      [
        [classId, 'accepted', 200, ''],
        [id, 'rejected', 400, 'badRequest'],
        [`${issuer}.json`, 'rejected', 0, 'badResourceJson'],
        [`${issuer}.kind`, 'rejected', 0, 'unknownKind'],
        ['98.other', 'rejected', 0, 'issuerNotOfBrand'],
        ['99.theirs', 'rejected', 403, 'permissionDenied'],
      ].toSorted(),
    )
    await until('the queue is empty', async () => (await queued()) === 0)
  })

  test('a brand without an account waits for it and holds nobody up', async () => {
    addBrand('late', '55')
    const account = accounts.get('late')
    accounts.delete('late')
    for (let index = 0; index < 60; index++) await want(`55.class-${index}`, 1n, classFields, { brand: 'late' })
    await want(classId, 1n, classFields)
    await start(1_000)
    await settled(classId, 1n)
    await until('only they are left', async () => (await queued()) === 60)
    assert.equal(results.length, 1)
    assert.ok(account !== undefined)
    accounts.set('late', account)
    await until('all of them are there', () => results.length === 61)
    assert.ok(results.every(({ outcome }) => outcome === 'accepted'))
  })

  test('a message that is no work does not hold others up', async () => {
    await nats.jetstream.publish(subjects.google(issuer, 'loyaltyClass', 'x'), Buffer.from([0xff]))
    await want(classId, 1n, classFields)
    await start(100)
    await settled(classId, 1n)
    await until('only the bad one is left', async () => (await queued()) === 1)
    assert.equal(results.length, 1)
  })
})
