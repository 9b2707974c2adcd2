import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMetrics } from '@stampede/platform'
import { createMeters } from './metrics.ts'
import {
  MAX_QUEUED_PASSES,
  MAX_ROUND,
  MAX_ROUNDS,
  OverloadedError,
  SignQueue,
  UnwantedError,
  type Wish,
} from './sign-queue.ts'

const bytes = [Buffer.from('design'), Buffer.from('pass')]

function newQueue(perSecond = 1_000_000): SignQueue {
  const meters = createMeters(createMetrics(`queue-${Math.random().toString(36).slice(2)}`))
  return new SignQueue(meters, { perSecond, signed: () => undefined })
}

function wish(key: string, build: Wish['build'], isWanted = () => true): Wish {
  return { key, build, isWanted }
}

/** Fills the queue behind a gate; answers with what became of each wish. */
async function crowd(queue: SignQueue, count: number, gate: Promise<void>): Promise<readonly unknown[]> {
  const build = async () => {
    await gate
    return { bytes, cacheable: false }
  }
  const all = Array.from({ length: count }, (_, index) => queue.get(wish(String(index), build)))
  return await Promise.all(all.map((one) => one.catch((error: unknown) => error)))
}

describe('the signing queue', () => {
  it('builds a version once for many at a time, and keeps it', async () => {
    const queue = newQueue()
    let built = 0
    const build = async () => {
      built++
      return { bytes, cacheable: true }
    }
    await Promise.all([queue.get(wish('a', build)), queue.get(wish('a', build))])
    await queue.get(wish('a', build))
    assert.equal(built, 1)
  })

  it('does not keep what is incomplete or failed', async () => {
    const queue = newQueue()
    let built = 0
    const build = async () => {
      built++
      if (built === 1) throw new Error('no')
      return { bytes, cacheable: false }
    }
    await assert.rejects(queue.get(wish('a', build)))
    await queue.get(wish('a', build))
    await queue.get(wish('a', build))
    assert.equal(built, 3)
  })

  it('turns away what would wait too long, and works on', async () => {
    const queue = newQueue()
    const gate = Promise.withResolvers<void>()
    const settling = crowd(queue, MAX_QUEUED_PASSES + 200, gate.promise)
    gate.resolve()
    const settled = await settling
    const refused = settled.filter((outcome) => outcome instanceof OverloadedError).length
    assert.equal(refused, 200)
    assert.equal(settled.filter((outcome) => outcome === bytes).length, settled.length - refused)
    assert.equal(await queue.get(wish('later', async () => ({ bytes, cacheable: false }))), bytes)
  })

  it('lets no more wait than a slow process answers in time', async () => {
    const queue = newQueue(100)
    const gate = Promise.withResolvers<void>()
    const settling = crowd(queue, 1_000, gate.promise)
    assert.equal(queue.length, queue.limit)
    assert.equal(queue.limit, 150)
    gate.resolve()
    await settling
    assert.equal(queue.length, 0)
  })

  it('builds nothing for those who hung up, unless somebody else wants the same', async () => {
    const queue = newQueue()
    const gate = Promise.withResolvers<void>()
    const settling = crowd(queue, 2 * MAX_ROUND * MAX_ROUNDS, gate.promise)
    let built = 0
    const build = async () => {
      built++
      return { bytes, cacheable: false }
    }
    const gone = queue.get(wish('gone', build, () => false))
    const shared = queue.get(wish('shared', build, () => false))
    const joined = queue.get(wish('shared', build))
    gate.resolve()
    await assert.rejects(gone, UnwantedError)
    assert.deepEqual([await shared, await joined, built], [bytes, bytes, 1])
    await settling
  })

  it('answers each of a round for itself', async () => {
    const queue = newQueue()
    const good = queue.get(wish('good', async () => ({ bytes, cacheable: false })))
    const bad = queue.get(wish('bad', async () => Promise.reject(new Error('broken'))))
    assert.equal(await good, bytes)
    await assert.rejects(bad, /broken/)
  })

  it('answers in the order of arrival', async () => {
    const queue = newQueue()
    const order: number[] = []
    const names = Array.from({ length: 500 }, (_, index) => index)
    await Promise.all(
      names.map((index) =>
        queue.get(
          wish(String(index), async () => {
            order.push(index)
            return { bytes, cacheable: false }
          }),
        ),
      ),
    )
    assert.deepEqual(order, names)
  })
})
