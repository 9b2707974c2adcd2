import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { IssuerGates } from './issuer-gates.ts'
import { ResourceBook } from './resource-book.ts'
import { Waits } from './waits.ts'

describe('the book of resources', () => {
  test('an older version is not due once a newer one was tried, whatever came of it', () => {
    const book = new ResourceBook()
    assert.ok(book.isDue('k', 2n))
    book.begin('k', 2n)
    assert.ok(!book.isDue('k', 1n))
    assert.ok(book.isDue('k', 2n), 'without a result it may be tried again')
    book.settle('k', 2n, true)
    assert.ok(!book.isDue('k', 2n))
    assert.ok(book.isDue('k', 3n))
  })

  test('a resource exists from the first acceptance, and a later refusal does not change that', () => {
    const book = new ResourceBook()
    book.begin('k', 1n)
    book.settle('k', 1n, false)
    assert.ok(!book.exists('k'))
    book.begin('k', 2n)
    book.settle('k', 2n, true)
    book.begin('k', 3n)
    assert.ok(book.exists('k'))
    book.settle('k', 3n, false)
    assert.ok(book.exists('k'))
  })
})

test('waits grow, count failures during a wait once, and end with success', () => {
  const waits = new Waits({ baseMs: 1_000, maxMs: 60_000 })
  waits.postpone('c', 0)
  waits.postpone('c', 1)
  assert.ok(waits.isWaiting('c', 499))
  assert.ok(!waits.isWaiting('c', 1_000))
  waits.postpone('c', 1_000)
  assert.ok(waits.isWaiting('c', 1_999))
  assert.ok(!waits.isWaiting('c', 3_000))
  waits.clear('c')
  waits.postpone('c', 3_000, 10_000)
  assert.ok(waits.isWaiting('c', 12_999))
})

describe('the gates of issuers', () => {
  test('calls of one issuer keep their rate, another issuer does not wait for them', async () => {
    const gates = new IssuerGates(100)
    const signal = AbortSignal.timeout(10_000)
    const startMs = performance.now()
    await Promise.all(Array.from({ length: 45 }, () => gates.turn('1', signal)))
    const tookMs = performance.now() - startMs
    assert.ok(tookMs >= 195, `45 calls at 100 per second with a burst of 25 took ${tookMs} ms`)
    const otherMs = performance.now()
    await gates.turn('2', signal)
    assert.ok(performance.now() - otherMs < 100)
  })

  test('a paused issuer gets no turn until the pause ends, and none at all after the signal', async () => {
    const gates = new IssuerGates(100)
    gates.pause('1', 150)
    const startMs = performance.now()
    assert.equal(await gates.turn('1', AbortSignal.timeout(5_000)), true)
    assert.ok(performance.now() - startMs >= 145)
    gates.pause('1', 60_000)
    const stopping = new AbortController()
    const turn = gates.turn('1', stopping.signal)
    stopping.abort()
    assert.equal(await turn, false)
  })
})
