import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { tempDir } from '@stampede/platform/testing'
import { kneeOf } from './knee.ts'
import { readSamples, type Samples } from './samples.ts'

/** Calls of a second: how many, how slow, how many of them failed. */
interface Second {
  readonly calls: number
  readonly ms: number
  readonly failed?: number
}

async function samplesOf(seconds: readonly Second[]): Promise<Samples> {
  const rows = seconds.flatMap(({ calls, ms, failed = 0 }, at) => [
    ...Array.from({ length: calls }, () => `call_duration,${1_000 + at},${ms}.0,kind=earn,`),
    ...Array.from(
      { length: calls + failed },
      (_, call) => `call_failed,${1_000 + at},${call < failed ? 1 : 0}.0,kind=earn,`,
    ),
    `vus,${900 + at},3.0,,`,
    `campaign_accepted,${1_000 + at},${at * 10}.0,,`,
  ])
  using folder = tempDir('load-samples')
  const file = join(folder.path, 'samples.csv.gz')
  writeFileSync(file, gzipSync(['metric_name,timestamp,metric_value,extra_tags,metadata', ...rows].join('\n')))
  return await readSamples(file)
}

describe('samples', () => {
  it('are cut into slices from the first call on', async () => {
    const { startedAt, seconds, sliceSeconds, slices, gauges } = await samplesOf([
      { calls: 2, ms: 5 },
      { calls: 1, ms: 7, failed: 1 },
    ])
    assert.deepEqual([startedAt, seconds, sliceSeconds], [1_000, 2, 1])
    assert.deepEqual(slices.get('earn'), [
      { served: 2, failed: 0, durationsMs: [5, 5] },
      { served: 1, failed: 1, durationsMs: [7] },
    ])
    assert.deepEqual(gauges.get('campaign_accepted'), [
      { second: 0, value: 0 },
      { second: 1, value: 10 },
    ])
  })
})

describe('the knee', () => {
  const limits = new Map([['earn', 100]])
  const rising = Array.from({ length: 6 }, (_, at) => ({ calls: 20 * (at + 1), ms: 10 }))

  it('is the last second before latency stayed above its limit', async () => {
    const cold = { calls: 20, ms: 500 }
    const samples = await samplesOf([cold, ...rising, { calls: 140, ms: 200 }, { calls: 140, ms: 900 }])
    assert.deepEqual(kneeOf(samples, limits, 14), { share: 0.5, callsPerSecond: 120 })
  })

  it('is where calls begin to fail', async () => {
    const samples = await samplesOf([...rising, { calls: 140, ms: 10, failed: 5 }])
    assert.deepEqual(kneeOf(samples, limits, 12), { share: 0.5, callsPerSecond: 120 })
  })

  it('is not there when the first second was too much', async () => {
    assert.equal(kneeOf(await samplesOf([{ calls: 20, ms: 500 }]), limits, 10), undefined)
  })
})
