import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Purchases, type RfmThresholds, rfmScore, rfmThresholds, type SegmentName, segmentOf } from './index.ts'

const file = new URL('../../../../shared/data/online-retail/online-retail.csv.gz', import.meta.url)
const dayMs = 86_400_000
const asOfMs = Date.parse('2011-12-10T00:00:00Z')

/** Columns from the end: descriptions may hold commas. */
const line = /^(\w+),.*,(-?\d+),(\d{4}-\d\d-\d\d) [\d:]+,(-?[\d.]+),(\d+)\.0,[^,]*$/

function readBuyers(): readonly Purchases[] {
  const days = new Map<string, Set<string>>()
  const spent = new Map<string, number>()
  for (const text of gunzipSync(readFileSync(file)).toString('utf8').split('\n')) {
    const [, invoice = '', quantity = '', day = '', price = '', customer = ''] = line.exec(text.trim()) ?? []
    if (invoice === '' || invoice.startsWith('C') || Number(quantity) <= 0 || Number(price) <= 0) continue
    const own = days.get(customer) ?? new Set()
    days.set(customer, own.add(day))
    spent.set(customer, (spent.get(customer) ?? 0) + Number(quantity) * Number(price))
  }
  return [...days].map(([customer, own]) => ({
    recencyDays: (asOfMs - Math.max(...[...own].map((day) => Date.parse(`${day}T00:00:00Z`)))) / dayMs,
    frequency: own.size,
    monetary: spent.get(customer) ?? 0,
  }))
}

function close(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, index) => {
    const wanted = expected[index] ?? Number.NaN
    assert.ok(Math.abs(value - wanted) <= tolerance, `${value} is not ${wanted}`)
  })
}

describe('RFM of UCI Online Retail', { skip: existsSync(file) ? false : `NOT RUN: no ${file.pathname}` }, () => {
  const buyers = existsSync(file) ? readBuyers() : []
  const thresholds: RfmThresholds | undefined = buyers.length > 0 ? rfmThresholds(buyers) : undefined

  it('has the known members and thresholds', () => {
    assert.ok(thresholds)
    assert.equal(buyers.length, 4_338)
    close(thresholds.recency, [13.8, 33, 72, 180], 1e-9)
    close(thresholds.frequency, [1, 2, 3, 5], 1e-9)
    close(thresholds.monetary, [250.19, 490.1, 942.28, 2_058.43], 0.006)
  })

  it('has the known segments', () => {
    assert.ok(thresholds)
    const counts = new Map<SegmentName, number>()
    let championsSpent = 0
    for (const buyer of buyers) {
      const { r, f } = rfmScore(buyer, thresholds)
      const segment = segmentOf(r, f)
      counts.set(segment, (counts.get(segment) ?? 0) + 1)
      if (segment === 'champions') championsSpent += buyer.monetary
    }
    assert.deepEqual(Object.fromEntries(counts), {
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
    close([championsSpent], [4_270_949.65], 0.01)
  })
})
