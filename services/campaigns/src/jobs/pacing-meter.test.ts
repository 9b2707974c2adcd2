import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { delivery, fetchesOf, pushResult } from '../testing/messages.ts'
import { StoreFixture } from '../testing/store-fixture.ts'
import { countFetches } from './fetches.ts'
import { releaseAll } from './leader.ts'
import { measurePacing } from './pacing-meter.ts'
import { countResults } from './results.ts'

const stack = new AsyncDisposableStack()
let fixture: StoreFixture

before(async () => {
  fixture = stack.use(await StoreFixture.open())
})
after(() => stack.disposeAsync())

async function gauges(): Promise<readonly string[]> {
  await measurePacing(fixture.context)
  const text = await fixture.metrics.registry.metrics()
  return text
    .split('\n')
    .flatMap((line) => /^stampede_campaigns_((?:pacing|outstanding|waiting)_.*)/.exec(line)?.[1] ?? [])
}

test('how full the window is, and how many wait, follows a campaign from its release to a minute after its last push', async () => {
  const brand = 'one'
  const passNo = Array.from({ length: 4_000 }, (_, index) => BigInt(index))
  const gauge = (outstanding: number, waiting: number) => [
    'pacing_window_phones 4800',
    `outstanding_phones{brand="one"} ${outstanding}`,
    `waiting_passes{brand="one"} ${waiting}`,
  ]
  fixture.capacityPerSecond = 100
  assert.deepEqual(await gauges(), ['pacing_window_phones 4800'])
  const campaignId = await fixture.run(brand, 2, 4_000)
  assert.deepEqual(await gauges(), gauge(0, 8_000))
  await releaseAll(fixture.context)
  assert.deepEqual(await gauges(), gauge(4_000, 4_000))
  const atMs = fixture.clock.nowMs()
  const report = (place: string) =>
    countResults(fixture.context, [delivery(pushResult({ brand, campaignId, place, passNo, atMs }))])
  await report('0/0of1')
  await countFetches(fixture.context, [delivery(fetchesOf(brand, campaignId, passNo.slice(0, 3_000), atMs))])
  assert.deepEqual(await gauges(), gauge(1_000, 4_000))
  await fixture.abort(brand, campaignId)
  assert.deepEqual(await gauges(), gauge(1_000, 0))
  fixture.clock.advance(60_000)
  assert.deepEqual(await gauges(), ['pacing_window_phones 4800'])
})
