import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMetrics } from './metrics.ts'

describe('metrics', () => {
  it('carry the name of their service, and are the same when asked for twice', async () => {
    const metrics = createMetrics('pass-render')
    metrics.counter({ name: 'passes_total', help: 'Passes', labels: ['brand'] }).inc({ brand: 'one' })
    metrics.counter({ name: 'passes_total', help: 'Passes', labels: ['brand'] }).inc({ brand: 'one' })
    metrics.gauge({ name: 'stampede_pass_render_queue_items', help: 'Queue' }).set(3)
    metrics.histogram({ name: 'sign_seconds', help: 'Time', buckets: [1] }).observe(0.5)
    const text = await metrics.registry.metrics()
    assert.match(text, /^stampede_pass_render_passes_total\{brand="one"\} 2$/m)
    assert.match(text, /^stampede_pass_render_queue_items 3$/m)
    assert.match(text, /^stampede_pass_render_sign_seconds_bucket\{le="1"\} 1$/m)
  })

  it('refuse one name for two kinds', () => {
    const metrics = createMetrics('geo')
    metrics.counter({ name: 'x_total', help: 'X' })
    assert.throws(() => metrics.gauge({ name: 'x_total', help: 'X' }), /already been registered/)
  })
})
