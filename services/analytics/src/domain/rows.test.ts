import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PassFetches } from '@stampede/proto/events/v1'
import { PushOutcome, PushResult } from '@stampede/proto/push/v1'
import { encodeEvent, receiptEvent } from '../testing/events.ts'
import { eventRows } from './event-rows.ts'
import { pushRows } from './push-rows.ts'
import { isLogTable, MalformedMessage, type RowSet, type TableName, tableColumns } from './tables.ts'

const origin = { source: 'EVENTS@1', sequence: 7 }
const occurredAt = new Date('2026-11-27T08:00:00.123Z')

/** First row of a table, by column. */
function firstRow(rows: RowSet, table: TableName): Record<string, unknown> {
  const cells: unknown[] = JSON.parse(rows.get(table)?.[0] ?? '[]')
  assert.equal(cells.length, tableColumns[table].length)
  return Object.fromEntries(tableColumns[table].map((column, index) => [column, cells[index]]))
}

const result: Partial<PushResult> = {
  brand: 'b',
  chunkId: 'c',
  outcomes: [PushOutcome.PUSH_OUTCOME_ACCEPTED, PushOutcome.PUSH_OUTCOME_DEAD_TOKEN],
  reasonIndex: [0, 1],
  atMs: [1n, 2n],
  passNo: [3n, 4n],
  deviceLibraryId: ['d', 'e'],
}
const encodeResult = (change: Partial<PushResult>) =>
  PushResult.encode(PushResult.fromPartial({ ...result, ...change })).finish()

/** One fetch, as it was told before devices and versions were added. */
function fetches(change: Partial<PassFetches> = {}): PassFetches {
  return PassFetches.fromPartial({ no: [1n], campaignId: [''], fetchedAtMs: [1n], changedAtMs: [1n], ...change })
}

describe('rows of events', () => {
  it('say which device fetched which version, where the event does', () => {
    const added = { device: [Buffer.alloc(16, 0xab)], version: [12n], pushedAtMs: [3n] }
    const row = firstRow(
      eventRows(encodeEvent('b', 1n, { $case: 'fetches', value: fetches(added) }), origin).rows,
      'fetches',
    )
    assert.deepEqual(
      [row['device'], row['pass_version'], row['pushed_at']],
      ['ab'.repeat(16), '12', '1970-01-01 00:00:00.003'],
    )
    const old = firstRow(
      eventRows(encodeEvent('b', 1n, { $case: 'fetches', value: fetches() }), origin).rows,
      'fetches',
    )
    assert.deepEqual([old['device'], old['pass_version'], old['pushed_at']], ['', '0', null])
  })

  it('keep 64-bit amounts exact', () => {
    const totalMinor = 9_007_199_254_740_993n
    const { rows, receipt } = eventRows(
      receiptEvent('b', { receiptId: 'r', memberId: 'm', occurredAt, totalMinor }),
      origin,
    )
    const row = firstRow(rows, 'receipts')
    assert.deepEqual(
      [row['total_minor'], row['occurred_at'], row['source'], row['sequence']],
      [`${totalMinor}`, '2026-11-27 08:00:00.123', 'EVENTS@1', 7],
    )
    assert.deepEqual(receipt, { brand: 'b', memberId: 'm', receiptId: 'r' })
    assert.equal(firstRow(rows, 'receipt_lines')['amount_minor'], `${totalMinor}`)
  })

  it('are none for events of no interest', () => {
    const relevance = encodeEvent('b', 1n, { $case: 'relevance', value: { memberId: 'm', places: [], beacons: [] } })
    assert.equal(eventRows(relevance, origin).rows.size, 0)
  })

  it('are refused for what cannot be stored', () => {
    const receipt = { memberId: 'm', occurredAt }
    const bad: Record<string, Uint8Array> = {
      'no protobuf': new Uint8Array([255, 255]),
      'no brand': receiptEvent('', receipt),
      'no receipt id': receiptEvent('b', { ...receipt, receiptId: '' }),
      'an unknown kind': receiptEvent('b', { ...receipt, kind: 'gift' }),
      'an instant out of range': receiptEvent('b', { ...receipt, occurredAt: new Date('2500-01-01') }),
      'columns of unequal length': encodeEvent('b', 1n, {
        $case: 'fetches',
        value: fetches({ campaignId: [] }),
      }),
      'an added column of unequal length': encodeEvent('b', 1n, {
        $case: 'fetches',
        value: fetches({ version: [1n, 2n] }),
      }),
      'a negative pass number': encodeEvent('b', 1n, {
        $case: 'fetches',
        value: fetches({ no: [-1n] }),
      }),
    }
    for (const [why, data] of Object.entries(bad)) assert.throws(() => eventRows(data, origin), MalformedMessage, why)
  })
})

describe('rows of push results', () => {
  it('name the reason whether or not the list holds the empty one', () => {
    for (const reasons of [['', 'Gone'], ['Gone']]) {
      const lines = pushRows(encodeResult({ reasons }), origin).get('push_outcomes') ?? []
      const reason = tableColumns.push_outcomes.indexOf('reason')
      assert.deepEqual(
        lines.map((line) => JSON.parse(line)[reason]),
        ['', 'Gone'],
      )
    }
  })

  it('are refused when columns differ in length', () => {
    assert.throws(() => pushRows(encodeResult({ passNo: [1n] }), origin), MalformedMessage)
    assert.throws(() => pushRows(encodeResult({ brand: '' }), origin), MalformedMessage)
  })
})

describe('tables', () => {
  it('that keep every row say where it comes from', () => {
    for (const table of Object.keys(tableColumns) as TableName[]) {
      const columns: readonly string[] = tableColumns[table]
      assert.equal(columns.includes('source') && columns.includes('sequence'), isLogTable(table), table)
    }
  })
})
