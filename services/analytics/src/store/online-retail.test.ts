import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { uuidv7 } from '@stampede/platform'
import { testClickHouse } from '@stampede/platform/testing'
import { minorPerPound, missingOnlineRetail, onlineRetailEvents } from '../testing/online-retail.ts'
import { storeEvents } from '../testing/store.ts'
import { createTables } from './schema.ts'
import { scoreMembers } from './scores.ts'
import { cellCounts } from './segments.ts'

const batchSize = 2_000

describe('RFM of UCI Online Retail in SQL', { skip: missingOnlineRetail }, () => {
  it('has the known members, thresholds and segments', async () => {
    await using store = await testClickHouse()
    await createTables(store.client)
    const events = onlineRetailEvents('uci')
    for (let start = 0; start < events.length; start += batchSize)
      await storeEvents(store.client, events.slice(start, start + batchSize))

    const snapshotId = uuidv7()
    const asOf = new Date('2011-12-10T00:00:00Z')
    const { members, thresholds } = await scoreMembers(store.client, {
      brand: 'uci',
      snapshotId,
      asOf,
      timeZone: 'UTC',
    })
    assert.equal(members, 4_338)
    assert.ok(thresholds)
    assert.deepEqual(thresholds.recency, [13.8, 33, 72, 180])
    assert.deepEqual(thresholds.frequency, [1, 2, 3, 5])
    const monetary = [250.19, 490.1, 942.28, 2_058.43]
    thresholds.monetary.forEach((value, index) => {
      const published = monetary[index] ?? 0
      assert.ok(Math.abs(value / minorPerPound - published) < 0.006, `${value}`)
    })

    const counts: Record<string, number> = {}
    const revenue: Record<string, bigint> = {}
    for (const cell of await cellCounts(store.client, 'uci', snapshotId)) {
      counts[cell.segment] = (counts[cell.segment] ?? 0) + Number(cell.members)
      revenue[cell.segment] = (revenue[cell.segment] ?? 0n) + BigInt(cell.revenueMinor)
    }
    assert.deepEqual(counts, {
      hibernating: 1_373,
      loyal: 656,
      champions: 578,
      potential_loyalist: 516,
      about_to_sleep: 500,
      at_risk: 302,
      promising: 176,
      need_attention: 114,
      new: 71,
      cannot_lose: 52,
    })
    const total = Object.values(revenue).reduce((sum, one) => sum + one, 0n)
    assert.equal((Number(revenue['champions']) / minorPerPound).toFixed(2), '4270949.65')
    assert.equal((Number(total) / minorPerPound).toFixed(2), '8911407.90')
  })
})
