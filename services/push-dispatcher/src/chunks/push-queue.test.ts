import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { PushQueue } from './push-queue.ts'

function groupsOf(counts: readonly number[]) {
  let firstPush = 0
  return counts.map((count, index) => {
    const group = { firstPush, count, tokenBytes: index + 1, tokens: new Uint8Array(0) }
    firstPush += count
    return group
  })
}

const all = (want: number): number => want

describe('the queue of a chunk', () => {
  test('gives first attempts in their order, and those that came back before the rest', () => {
    const queue = new PushQueue(5, groupsOf([2, 3]))
    assert.deepEqual([...queue.takeFresh(3)], [0, 1, 2])
    queue.putBack(1)
    assert.equal(queue.fresh, 3)
    assert.deepEqual([...queue.takeFresh(9)], [1, 3, 4])
    assert.deepEqual([...queue.takeFresh(9)], [])
  })

  test('gives a push that waits when it is due', () => {
    const queue = new PushQueue(1, groupsOf([1]))
    queue.takeFresh(1)
    assert.equal(queue.untilDueMs(0), undefined)
    queue.wait(0, 100, false)
    assert.equal(queue.untilDueMs(40), 60)
    assert.deepEqual(queue.takeDue(1, 99, all), [])
    assert.deepEqual(queue.takeDue(1, 100, all), [0])
    assert.deepEqual(queue.takeDue(1, 200, all), [])
  })

  test('repetitions need the budget, others do not', () => {
    const queue = new PushQueue(4, groupsOf([4]))
    for (const push of queue.takeFresh(4)) queue.wait(push, 0, push % 2 === 0)
    const asked: number[] = []
    const taken = queue.takeDue(4, 0, (want) => {
      asked.push(want)
      return 1
    })
    assert.deepEqual(asked, [2])
    assert.deepEqual(taken, [0, 1, 3])
    assert.deepEqual(queue.takeDue(4, 0, all), [2])
  })

  test('loses no push and gives none twice, whatever happens', () => {
    const step = fc.record({
      kind: fc.constantFrom('fresh', 'due', 'back', 'wait', 'later'),
      most: fc.nat(5),
      delayMs: fc.nat(3),
      repeats: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
        fc.array(step, { maxLength: 60 }),
        (counts, steps) => {
          const size = counts.reduce((sum, one) => sum + one, 0)
          const queue = new PushQueue(size, groupsOf(counts))
          const out = new Set<number>()
          const take = (pushes: Iterable<number>) => {
            for (const push of pushes) {
              assert.equal(out.has(push), false, `push ${push} was given twice`)
              out.add(push)
            }
          }
          let nowMs = 0
          for (const { kind, most, delayMs, repeats } of steps) {
            nowMs += 1
            const some = [...out].slice(0, most)
            for (const push of kind === 'fresh' || kind === 'due' ? [] : some) {
              out.delete(push)
              if (kind === 'back') queue.putBack(push)
              else queue.wait(push, nowMs + delayMs, repeats)
            }
            if (kind === 'fresh') take(queue.takeFresh(most))
            if (kind === 'due') take(queue.takeDue(most, nowMs, (want) => want >> 1))
            if (kind === 'later') queue.waitOn(queue.takeDue(most, nowMs, all))
          }
          take(queue.takeFresh(size))
          take(queue.takeDue(size, nowMs + 10, all))
          assert.equal(out.size, size)
        },
      ),
    )
  })
})
