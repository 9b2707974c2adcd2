import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ALL_PERMILLE, canaryBucket, type Publication, publish, shownBy, unpublished } from './publication.ts'

const first = publish(unpublished('card'), 1, ALL_PERMILLE, 1n).publication

describe('a published version', () => {
  it('goes to its share of the cards', () => {
    const { publication } = publish(first, 2, 100, 2n)
    const shown = Array.from({ length: 10_000 }, (_, no) => shownBy(BigInt(no), publication).version)
    const share = shown.filter((version) => version === 2).length / shown.length
    assert.ok(share > 0.09 && share < 0.11, `${share}`)
  })

  it('leaves alone who shows it already, when its share grows and when it is promoted', () => {
    const canary = publish(first, 2, 100, 2n).publication
    const more = publish(canary, 2, 300, 3n)
    assert.deepEqual(more.affected, { from: 100, end: 300 })
    const promoted = publish(more.publication, 2, ALL_PERMILLE, 4n)
    assert.deepEqual(promoted.affected, { from: 300, end: ALL_PERMILLE })
  })

  it('calls back only the cards of a canary that is rolled back', () => {
    const canary = publish(first, 2, 100, 2n).publication
    const { publication, affected } = publish(canary, 1, ALL_PERMILLE, 3n)
    assert.deepEqual(affected, { from: 0, end: 100 })
    for (let no = 0n; no < 1_000n; no++) {
      const shown = shownBy(no, publication)
      assert.deepEqual(shown, { version: 1, seq: canaryBucket(no) < 100 ? 3n : 1n })
    }
  })

  it('whatever is published after what: a card that shows another version has a higher seq, and is among the affected', () => {
    const step = fc.record({
      version: fc.integer({ min: 1, max: 4 }),
      permille: fc.oneof(fc.constant(ALL_PERMILLE), fc.integer({ min: 1, max: ALL_PERMILLE })),
      raise: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(fc.bigInt(0n, 1_000_000n), { minLength: 1 }),
        (steps, nos) => {
          let before: Publication = first
          let seq = 1n
          for (const { version, permille, raise } of steps) {
            // Something that all cards of the brand share has changed: raisePublications.
            if (raise) before = { ...before, stableSeq: ++seq, canarySeq: seq }
            const { publication, affected } = publish(before, version, permille, ++seq)
            for (const no of nos) {
              const [old, now] = [shownBy(no, before), shownBy(no, publication)]
              const bucket = canaryBucket(no)
              assert.ok(now.seq >= old.seq, 'a seq never falls')
              if (now.version !== old.version) assert.ok(now.seq > old.seq, 'news has a higher seq')
              if (now.seq > old.seq)
                assert.ok(bucket >= affected.from && bucket < affected.end, 'who has news is woken')
              if (permille === ALL_PERMILLE || bucket < permille) assert.equal(now.version, version)
            }
            before = publication
          }
        },
      ),
    )
  })
})
