import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkUuid } from './check.ts'
import { uuidv7 } from './ids.ts'

describe('a UUID version 7', () => {
  it('holds its time, version and variant', () => {
    const nowMs = Date.UTC(2026, 10, 27)
    const id = checkUuid(uuidv7(nowMs), 'id')
    assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), nowMs)
    assert.equal(id[14], '7')
    assert.match(id[19] ?? '', /[89ab]/)
  })

  it('ascends within a millisecond, two thousand times, and never repeats', () => {
    const ids = Array.from({ length: 2_000 }, () => uuidv7(1_700_000_000_000))
    assert.deepEqual(ids.toSorted(), ids)
    assert.equal(new Set(ids).size, ids.length)
  })
})
