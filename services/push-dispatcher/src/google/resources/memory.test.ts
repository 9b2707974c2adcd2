import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
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
