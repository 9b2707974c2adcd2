import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RateSketch } from './rate-sketch.ts'

const options = { limit: 3, windowMs: 1_000, counters: 1 << 16, seed: 7 }

describe('the rate sketch', () => {
  it('lets a key come so often in a window, and again in the next', () => {
    const sketch = new RateSketch(options)
    const seen = [0, 1, 2, 3, 999].map((at) => sketch.allows('phone', at))
    assert.deepEqual(seen, [true, true, true, false, false])
    assert.equal(sketch.allows('phone', 1_000), true)
  })

  it('keeps counting without a way round after very many', () => {
    const sketch = new RateSketch(options)
    for (let index = 0; index < 1_000; index++) sketch.allows('phone', 0)
    assert.equal(sketch.allows('phone', 0), false)
  })

  it('hardly ever mistakes one key for another while there are fewer keys than counters', () => {
    const sketch = new RateSketch(options)
    let refused = 0
    for (let index = 0; index < 20_000; index++) if (!sketch.allows(`phone-${index}`, 0)) refused++
    assert.ok(refused < 20_000 * 0.01, String(refused))
  })

  it('shares counters differently under another seed', () => {
    const collides = (seed: number, other: string) => {
      const sketch = new RateSketch({ ...options, limit: 1, counters: 256, seed })
      sketch.allows('phone', 0)
      return !sketch.allows(other, 0)
    }
    const partner = Array.from({ length: 10_000 }, (_, index) => `other-${index}`).find((key) => collides(1, key))
    assert.ok(partner)
    const seeds = Array.from({ length: 20 }, (_, index) => index + 2)
    assert.ok(seeds.some((seed) => !collides(seed, partner)))
  })
})
