import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connectNats, ensureStreams, type Nats } from '@stampede/platform'
import { type TestNats, testClock, testNats, testParts } from '@stampede/platform/testing'
import { randomOf } from '../testing/random.ts'
import { type Recipient, SentBook } from './sent-book.ts'

describe('the book of what was sent', () => {
  let server: TestNats
  let nats: Nats
  let next = 0

  before(async () => {
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger: testParts().logger })
    await ensureStreams(nats)
  })
  after(async () => {
    await nats[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  /** A class nobody else has, and so many objects of it. */
  function recipients(count: number): { readonly ofClass: Recipient; readonly objects: readonly Recipient[] } {
    next += 1
    const classId = `1.class-${next}`
    const objects = Array.from({ length: count }, (_, index) => {
      return { kind: 'loyaltyObject', id: `1.object-${next}-${index}`, classId } as const
    })
    return { ofClass: { kind: 'loyaltyClass', id: classId, classId }, objects }
  }

  const loud = { notify: true, mayAdd: true }

  test('a message is held by one replica at a time, and the next one knows that it may have been sent', async () => {
    const clock = testClock()
    const [one, two] = [new SentBook(nats, clock), new SentBook(nats, clock)]
    const { objects } = recipients(1)
    const [object] = objects
    assert.ok(object !== undefined)
    assert.deepEqual(await one.begin(object, 'm', { notify: true, mayAdd: false }), { kind: 'untried' })
    const begun = await one.begin(object, 'm', loud)
    assert.ok(begun.kind === 'begun' && !begun.tried)
    assert.equal((await two.begin(object, 'm', loud)).kind, 'busy')
    assert.equal((await two.begin(object, 'other', loud)).kind, 'busy')
    clock.advance(26_000)
    const taken = await two.begin(object, 'm', loud)
    assert.ok(taken.kind === 'begun' && taken.tried)
    assert.equal(await begun.held.keep(), false, 'who was silent for too long has lost it')
    await one.settle(begun.held, 'm', true)
    assert.ok(await two.rebook(object, taken.held, 'm', true))
    await two.settle(taken.held, 'm', true)
    assert.deepEqual(await one.begin(object, 'm', loud), { kind: 'done', notifies: true })
  })

  test('a claim that is kept stays, however long it takes', async () => {
    const clock = testClock()
    const book = new SentBook(nats, clock)
    const { ofClass } = recipients(0)
    const begun = await book.begin(ofClass, 'm', loud)
    assert.ok(begun.kind === 'begun')
    for (let index = 0; index < 5; index++) {
      clock.advance(20_000)
      assert.ok(await begun.held.keep())
    }
    assert.equal((await book.begin(ofClass, 'm', loud)).kind, 'busy')
    await book.putBack(begun.held)
    assert.equal((await book.begin(ofClass, 'm', loud)).kind, 'begun')
  })

  test('what was given up does not count', async () => {
    const book = new SentBook(nats, testClock())
    const { ofClass } = recipients(0)
    for (const id of ['a', 'b', 'c', 'd']) {
      const begun = await book.begin(ofClass, id, loud)
      assert.ok(begun.kind === 'begun' && !begun.tried)
      await book.forget(begun.held, id)
    }
    assert.ok(await book.bookChange(ofClass, 1n))
  })

  test('replicas that notify a class and its objects at random never notify anybody four times', async () => {
    const seed = Date.now()
    const random = randomOf(seed)
    const clock = testClock()
    const books = [new SentBook(nats, clock), new SentBook(nats, clock)]
    for (let round = 0; round < 10; round++) {
      const { ofClass, objects } = recipients(3)
      const told = new Map<string, number>()
      const tell = async (recipient: Recipient, id: string): Promise<void> => {
        const book = books[Math.floor(random() * books.length)]
        for (;;) {
          const begun = await book?.begin(recipient, id, loud)
          if (begun?.kind === 'busy') continue
          if (begun?.kind !== 'begun') return
          told.set(recipient.id, (told.get(recipient.id) ?? 0) + 1)
          return book?.settle(begun.held, id, true)
        }
      }
      const wishes = Array.from({ length: 16 }, (_, index) => {
        const recipient = random() < 0.25 ? ofClass : objects[Math.floor(random() * objects.length)]
        return tell(recipient ?? ofClass, `m${index}`)
      })
      await Promise.all(wishes)
      const ofTheClass = told.get(ofClass.id) ?? 0
      const most = Math.max(0, ...objects.map(({ id }) => told.get(id) ?? 0))
      assert.ok(most + ofTheClass <= 3, `${most} and ${ofTheClass} of the class, seed ${seed}`)
      assert.ok(most + ofTheClass > 0)
    }
  })
})
