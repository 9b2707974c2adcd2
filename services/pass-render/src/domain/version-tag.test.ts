import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { answerList, type ListedPass, lastModified, MAX_TAG_CHARS, MAX_TAG_PASSES } from './version-tag.ts'

const pass = (no: bigint, version = 1n, messageSeq = 0n, designVersion = 1n): ListedPass => {
  return { no, serial: `s${no}`, version, messageSeq, designVersion }
}

describe('the tag of the list', () => {
  it('hides what was shown and shows every difference, up or down', () => {
    const start = answerList([pass(1n), pass(2n)], '')
    assert.deepEqual(start.serials, ['s1', 's2'])
    assert.deepEqual(answerList([pass(1n), pass(2n)], start.tag).serials, [])
    for (const changed of [pass(2n, 2n), pass(2n, 1n, 7n), pass(2n, 1n, 0n, 2n), pass(2n, 0n)]) {
      assert.deepEqual(answerList([pass(1n), changed], start.tag).serials, ['s2'])
    }
    assert.deepEqual(answerList([pass(1n), pass(3n)], start.tag).serials, ['s3'])
  })

  it('never hides a change and always hides a sameness', () => {
    const number = fc.bigInt({ min: 0n, max: 1n << 62n })
    const listed = fc.uniqueArray(fc.tuple(number, number, number, number), { selector: ([no]) => no, maxLength: 60 })
    fc.assert(
      fc.property(listed, fc.nat(), (items, pick) => {
        const passes = items.map(([no, version, seq, design]) => pass(no, version, seq, design))
        const { tag } = answerList(passes, '')
        assert.ok(tag.length <= MAX_TAG_CHARS && /^[\w.]+$/.test(tag))
        assert.equal(answerList(passes, tag).serials.length, passes.length > MAX_TAG_PASSES ? passes.length : 0)
        const changed = passes.map((item, index) => {
          return index === pick % passes.length ? { ...item, version: item.version + 1n } : item
        })
        const serial = changed[pick % (passes.length || 1)]?.serial
        if (serial !== undefined) assert.ok(answerList(changed, tag).serials.includes(serial))
      }),
    )
  })

  it('shows everything for a tag that is not ours', () => {
    for (const tag of ['x', 'v2_1.1.0.1', 'v1_', 'v1_1', `v1_${'1'.repeat(5_000)}`, '\0']) {
      assert.deepEqual(answerList([pass(1n)], tag).serials, ['s1'], tag)
    }
  })
})

describe('Last-Modified', () => {
  it('grows by whole seconds with each part and lies in the past', () => {
    const created = new Date()
    const base = { version: 1n, messageSeq: 0n, designVersion: 1n }
    const first = lastModified(created, base)
    assert.ok(first < created)
    for (const change of [{ version: 2n }, { messageSeq: 1n }, { designVersion: 2n }]) {
      const later = lastModified(created, { ...base, ...change })
      assert.ok(Date.parse(later.toUTCString()) > Date.parse(first.toUTCString()))
    }
  })
})
