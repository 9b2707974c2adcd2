import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { testKernelMetrics } from '../testing/kernel-metrics.ts'
import { testScheduler } from '../testing/scheduler.ts'
import { PermanentError, type Reconciled, TemporaryError } from './outcome.ts'
import { createQueue } from './queue.ts'

const key = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 5_000 }) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
  fc.record({
    do: fc.constant('end' as const),
    nth: fc.nat({ max: 3 }),
    how: fc.constantFrom(
      'done' as const,
      'requeue' as const,
      'fail' as const,
      'temporary' as const,
      'permanent' as const,
    ),
  }),
)

interface Running {
  readonly key: string
  readonly resolve: (result: Reconciled) => void
  readonly reject: (error: unknown) => void
}

/** Runs random steps and checks, at every moment and at the end, what must always hold. */
async function play(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): Promise<void> {
  const concurrency = 2
  const scheduler = testScheduler()
  const running = new Set<Running>()
  /** Keys that were added and have not started since. */
  const owed = new Set<string>()
  let isOver = false
  const queue = createQueue({
    name: 'test',
    concurrency,
    backoff: { firstMs: 100, capMs: 1_000 },
    keysMax: 4,
    scheduler,
    metrics: testKernelMetrics().kernel,
    onFailure: () => undefined,
    handle: (started) => {
      assert.ok(
        [...running].every((one) => one.key !== started),
        `${started} runs twice at a time`,
      )
      owed.delete(started)
      if (isOver) return Promise.resolve({})
      const { promise, resolve, reject } = Promise.withResolvers<Reconciled>()
      running.add({ key: started, resolve, reject })
      assert.ok(running.size <= concurrency, 'more runs than there are workers')
      return promise
    },
  })
  const end = (nth: number, how: string): void => {
    const one = [...running][nth]
    if (one === undefined) return
    running.delete(one)
    if (how === 'done') one.resolve({})
    if (how === 'requeue') one.resolve({ requeueAfterMs: 300 })
    if (how === 'fail') one.reject(new Error('no'))
    if (how === 'temporary') one.reject(new TemporaryError('busy', 500))
    if (how === 'permanent') one.reject(new PermanentError('never'))
  }
  for (const one of steps) {
    if (one.do === 'add') {
      owed.add(one.key)
      queue.add(one.key)
    }
    if (one.do === 'addAfter') {
      owed.add(one.key)
      queue.addAfter(one.key, one.ms)
    }
    if (one.do === 'advance') await scheduler.advance(one.ms)
    if (one.do === 'end') end(one.nth, one.how)
    await nextTurn()
  }
  isOver = true
  while (running.size > 0) end(0, 'done')
  await scheduler.advance(60_000)
  assert.deepEqual([...owed], [], 'keys were lost')
  assert.equal(queue.waiting, 0)
  assert.equal(await queue.drain(1_000), true)
}

test('whatever happens: no key is lost, none runs twice at a time, and workers are not exceeded', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), play), { numRuns: 300 })
})
