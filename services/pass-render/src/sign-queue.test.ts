import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMetrics } from '@stampede/platform'
import { createMeters } from './metrics.ts'
import { MAX_QUEUED_PASSES, OverloadedError, SignQueue } from './sign-queue.ts'

const bytes = Buffer.from('pass')

describe('the signing queue', () => {
  it('builds a version once for many at a time, and keeps it', async () => {
    const queue = new SignQueue(createMeters(createMetrics('queue-a')))
    let built = 0
    const build = async () => {
      built++
      return { bytes, cacheable: true }
    }
    await Promise.all([queue.get('a', build), queue.get('a', build)])
    await queue.get('a', build)
    assert.equal(built, 1)
  })

  it('does not keep what is incomplete or failed', async () => {
    const queue = new SignQueue(createMeters(createMetrics('queue-b')))
    let built = 0
    const build = async () => {
      built++
      if (built === 1) throw new Error('no')
      return { bytes, cacheable: false }
    }
    await assert.rejects(queue.get('a', build))
    await queue.get('a', build)
    await queue.get('a', build)
    assert.equal(built, 3)
  })

  it('turns away what would wait too long, and works on', async () => {
    const queue = new SignQueue(createMeters(createMetrics('queue-c')))
    const gate = Promise.withResolvers<void>()
    const build = async () => {
      await gate.promise
      return { bytes, cacheable: false }
    }
    const outcomes: Promise<unknown>[] = []
    for (let index = 0; index < MAX_QUEUED_PASSES + 200; index++) {
      outcomes.push(queue.get(String(index), build).catch((error: unknown) => error))
    }
    gate.resolve()
    const settled = await Promise.all(outcomes)
    const refused = settled.filter((outcome) => outcome instanceof OverloadedError).length
    assert.ok(refused > 0 && refused < 200, String(refused))
    assert.equal(settled.filter((outcome) => outcome === bytes).length, settled.length - refused)
    assert.equal(await queue.get('later', build), bytes)
  })
})
