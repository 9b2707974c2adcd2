import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { until } from '@stampede/platform/testing'
import { type GoogleRow, notificationsPerDay, readGoogleLog } from '@stampede/sandbox'
import { classId, GoogleSide, issuer } from '../testing/google-side.ts'

const dayMs = 24 * 3_600_000

describe('messages, against a broker and a strict stand-in for Google', () => {
  let side: GoogleSide

  before(async () => {
    side = await GoogleSide.start()
  })
  after(() => side[Symbol.asyncDispose]())
  beforeEach(() => side.renew({ googleRps: 1_000 }))

  /** Messages that Google took. */
  async function added(): Promise<readonly GoogleRow[]> {
    const rows = await readGoogleLog(side.sandbox.dir)
    return rows.filter(({ path, status }) => path.endsWith('/addMessage') && status === 200)
  }

  function count(outcomes: ReadonlyMap<string, string>, outcome: string): number {
    return [...outcomes.values()].filter((one) => one === outcome).length
  }

  test('all holders of a class get a message by one call', async () => {
    side.seed('card', 3)
    await side.startReplica(100)
    await side.send('sale', { notify: true, displayUntil: new Date(Date.now() + 3_600_000), campaignId: 'c' })
    assert.deepEqual([...(await side.reported('sale', 1))], [[classId, 'accepted']])
    assert.equal(side.sandbox.google.statistics().calls, 2, 'a token and a message')
    const [row] = await added()
    assert.equal(row?.notifying, true)
    const [message] = (row?.resource?.['messages'] ?? []) as readonly Readonly<Record<string, unknown>>[]
    assert.deepEqual([message?.['id'], message?.['header']], ['stampede-sale', 'Black Friday'])
    assert.ok(message?.['displayInterval'] !== undefined)
    const [result] = side.messageResults
    assert.deepEqual([result?.campaignId, result?.first, result?.total], ['c', 0, 1])
    await until('the queue is empty', async () => (await side.queued()) === 0)
  })

  test('each of a list gets it once, also when the work comes again', async () => {
    const ids = side.seed('card', 1_100)
    await side.startReplica(1_000)
    await side.send('sale', { objectIds: [...ids] })
    const outcomes = await side.reported('sale', 1_100)
    assert.equal(count(outcomes, 'accepted'), 1_100)
    assert.deepEqual(side.messageResults.map(({ first, total }) => [first, total]).toSorted(), [
      [0, 1_100],
      [1_000, 1_100],
      [500, 1_100],
    ])
    await until('the queue is empty', async () => (await side.queued()) === 0)
    const { calls } = side.sandbox.google.statistics()
    await side.send('sale', { objectIds: [...ids] })
    await until('the queue is empty again', async () => (await side.queued()) === 0)
    assert.equal(side.sandbox.google.statistics().calls, calls)
    assert.ok(ids.every((id) => side.messagesOn(id).length === 1))
  })

  test('nobody is notified a fourth time within a day, at whichever replica and after a restart', async () => {
    const [one = '', two = ''] = side.seed('card', 2)
    const notify = (id: string, more = {}) => side.send(id, { notify: true, objectIds: [one], ...more })
    await side.startReplica(1_000)
    await notify('m1')
    assert.deepEqual([...(await side.reported('m1', 1)).values()], ['accepted'])
    await side.send('all', { notify: true })
    assert.deepEqual([...(await side.reported('all', 1)).values()], ['accepted'])
    await side.stop()
    await side.startReplica(1_000)
    await side.startReplica(1_000)
    await notify('m2', { objectIds: [one, two] })
    assert.deepEqual([...(await side.reported('m2', 2)).values()], ['accepted', 'accepted'])
    await notify('m3', { objectIds: [one, two] })
    assert.deepEqual([...(await side.reported('m3', 2)).values()], ['quota notifiedOften', 'accepted'])
    await notify('m4', { silentFallback: true })
    assert.deepEqual([...(await side.reported('m4', 1)).values()], ['silent notifiedOften'])
    await side.send('all2', { notify: true })
    assert.deepEqual(
      [...(await side.reported('all2', 1)).values()],
      ['quota notifiedOften'],
      'it would be their fourth',
    )
    await side.send('all3', { notify: true, silentFallback: true })
    assert.deepEqual([...(await side.reported('all3', 1)).values()], ['silent notifiedOften'])
    assert.deepEqual(
      [side.messagesOn(one), side.messagesOn(classId)],
      [
        ['m1', 'm2', 'm4'],
        ['all', 'all3'],
      ],
    )
    assert.equal(side.statuses()[403], undefined, 'Google had nothing to refuse')
    assert.equal(notificationsPerDay(await readGoogleLog(side.sandbox.dir)), 3)
    await side.stop()

    side.sandbox.setFaults({ google: { clockAheadMs: dayMs + 600_000 } })
    await side.startReplica(1_000, { clock: clockAhead(dayMs + 600_000) })
    await notify('tomorrow')
    assert.deepEqual([...(await side.reported('tomorrow', 1)).values()], ['accepted'])
    assert.equal(notificationsPerDay(await readGoogleLog(side.sandbox.dir)), 3)
  })

  test('when Google counts more notifications than we do, nothing is lost: it comes silently, or the quota is named', async () => {
    const ids = side.seed('card', 20)
    side.sandbox.setFaults({ google: { quotaShare: 1 } })
    await side.startReplica(1_000)
    await side.send('loud', { notify: true, objectIds: [...ids] })
    await side.send('soft', { notify: true, silentFallback: true, objectIds: [...ids] })
    assert.equal(count(await side.reported('loud', 20), 'quota quotaExceeded'), 20)
    assert.equal(count(await side.reported('soft', 20), 'silent notifiedOften'), 20)
    assert.ok(ids.every((id) => side.messagesOn(id).join() === 'soft'))
    side.sandbox.setFaults({ google: { quotaShare: 0 } })
    await side.send('late', { notify: true, objectIds: [...ids] })
    assert.equal(count(await side.reported('late', 20), 'accepted'), 20, 'a refusal is not counted as a notification')
  })

  test('a lost answer is looked up before anything is repeated', async () => {
    const ids = side.seed('card', 40)
    side.sandbox.setFaults({ google: { loseAnswerShare: 0.3, failShare: 0.1 } })
    await side.startReplica(1_000)
    await side.send('sale', { notify: true, objectIds: [...ids] })
    assert.equal(count(await side.reported('sale', 40), 'accepted'), 40)
    assert.equal((await added()).length, 40)
    assert.ok(ids.every((id) => side.messagesOn(id).length === 1))
    const rows = await readGoogleLog(side.sandbox.dir)
    assert.ok(
      rows.some(({ method }) => method === 'GET'),
      'no answer was lost',
    )
  })

  test('who is not reached until the deadline is named, and nobody is reached later', async () => {
    const ids = side.seed('card', 80)
    const expiresAt = new Date(Date.now() + 2_500)
    await side.startReplica(20)
    await side.send('sale', { objectIds: [...ids], expiresAt })
    const outcomes = await side.reported('sale', 80)
    const reached = ids.filter((id) => outcomes.get(id) === 'accepted')
    assert.ok(reached.length > 10 && reached.length < 50, `${reached.length} reached`)
    assert.equal(count(outcomes, 'expired'), 80 - reached.length)
    assert.deepEqual(
      ids.filter((id) => side.messagesOn(id).length === 1),
      reached,
    )
    assert.ok((await added()).every(({ at }) => at < expiresAt.getTime() + 100))
  })

  test('a replica that is killed leaves nothing to be sent twice', async () => {
    const ids = side.seed('card', 150)
    side.sandbox.setFaults({ google: { delayMs: 100 } })
    {
      await using _killed = side.spawnReplica(100)
      await side.send('sale', { notify: true, objectIds: [...ids] })
      await until('it is in the middle', async () => (await added()).length > 50)
    }
    const before = (await added()).length
    assert.ok(before < 150)
    // Its claims have ended.
    await side.startReplica(100, { clock: clockAhead(30_000) })
    assert.equal(count(await side.reported('sale', 150, 40_000), 'accepted'), 150)
    assert.equal((await added()).length, 150)
    assert.ok(ids.every((id) => side.messagesOn(id).length === 1))
    assert.equal(notificationsPerDay(await readGoogleLog(side.sandbox.dir)), 1)
  })

  test('a card that is full loses the oldest of our messages, never those of others', async () => {
    const [id = ''] = side.seed('card', 1)
    const { store } = side.sandbox.google
    const message = (name: string) => ({ id: name, header: 'a', body: 'b' })
    for (const name of ['theirs', ...Array.from({ length: 9 }, (_, index) => `stampede-old${index}`)]) {
      const result = store.addMessage('loyaltyObject', id, { message: message(name) }, Date.now())
      assert.ok(result.ok)
      store.commit(result.write, Date.now())
    }
    await side.startReplica(1_000)
    await side.send('new', { objectIds: [id] })
    assert.deepEqual([...(await side.reported('new', 1)).values()], ['accepted'])
    assert.deepEqual(side.messagesOn(id), ['theirs', 'old3', 'old4', 'old5', 'old6', 'old7', 'old8', 'new'])
    for (const name of ['a', 'b', 'c']) {
      await side.send(name, { objectIds: [id] })
      await side.reported(name, 1)
    }
    assert.ok(side.messagesOn(id).length < 10, 'room is made before the next message needs it')
    assert.equal(side.statuses()[400], 1)
  })

  test('a message to a class does not wait behind a long list', async () => {
    const ids = side.seed('card', 400)
    await side.startReplica(20)
    for (const name of ['one', 'two', 'three']) await side.send(name, { objectIds: [...ids] })
    await until('the lists are under way', async () => (await added()).length > 3)
    await side.send('now')
    await side.reported('now', 1, 3_000)
    assert.ok((await added()).length < 100)
  })

  test('a campaign that is paused stops, one that is aborted says who did not get it', async () => {
    const ids = side.seed('card', 60)
    await side.startReplica(20)
    await side.send('sale', { objectIds: [...ids], campaignId: 'c' })
    await until('it is under way', async () => (await added()).length > 5)
    side.controls.set('c', { status: 'paused' })
    await until('nothing follows', async () => {
      const before = (await added()).length
      await new Promise((resolve) => setTimeout(resolve, 400))
      return (await added()).length === before
    })
    const paused = (await added()).length
    side.controls.set('c', { status: 'running' })
    await until('it goes on', async () => (await added()).length > paused)
    side.controls.set('c', { status: 'aborted' })
    const outcomes = await side.reported('sale', 60)
    const reached = (await added()).length
    assert.deepEqual([count(outcomes, 'accepted'), count(outcomes, 'aborted')], [reached, 60 - reached])
    assert.ok(reached < 60)
  })

  test('what can never be sent is refused with the reason', async () => {
    const [id = ''] = side.seed('card', 1)
    side.addBrand('foreign', '99')
    await side.startReplica(1_000)
    await side.send('gone', { objectIds: [`${issuer}.nobody`] })
    await side.send('foreign', { brand: 'foreign', objectIds: [id] })
    await side.send('twice', { objectIds: [id, id] })
    await side.send('elsewhere', { objectIds: ['99.card'] })
    await side.send('endless', { objectIds: [id], expiresAt: new Date(Date.now() + 30 * dayMs) })
    await side.send('empty', { objectIds: [id], header: '' })
    const reasonOf = async (name: string) => [...(await side.reported(name, 1)).values()].join()
    assert.equal(await reasonOf('gone'), 'rejected resourceNotFound')
    assert.equal(await reasonOf('foreign'), 'rejected issuerNotOfBrand')
    assert.equal(await reasonOf('twice'), 'rejected badObjectIds')
    assert.equal(await reasonOf('elsewhere'), 'rejected issuerMismatch')
    assert.equal(await reasonOf('endless'), 'rejected badDeadline')
    assert.equal(await reasonOf('empty'), 'rejected badHeader')
    assert.deepEqual(side.messagesOn(id), [])
  })
})

/** A clock that is ahead by so many milliseconds. */
function clockAhead(ms: number) {
  const nowMs = (): number => Date.now() + ms
  return { nowMs, now: () => new Date(nowMs()) }
}
