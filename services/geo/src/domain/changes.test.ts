import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Event } from '@stampede/proto/events/v1'
import { collectChanges, isVisit } from './changes.ts'

const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour))

function receipt(brand: string, memberId: string, storeId: string, hour: number, kind = 'sale'): Event {
  return Event.fromPartial({
    id: `${memberId}-${storeId}-${hour}`,
    brand,
    eventTime: at(hour),
    payload: { $case: 'receipt', value: { kind, memberId, storeId, occurredAt: at(hour) } },
  })
}

function member(memberId: string, version: bigint, storeId: string, status = 'active'): Event {
  return Event.fromPartial({
    brand: 'a',
    aggregateVersion: version,
    payload: { $case: 'member', value: { memberId, storeId, status } },
  })
}

test('visits are summed by brand, member and store, with the last instant', () => {
  const changes = collectChanges([
    receipt('b', 'm1', 's1', 3),
    receipt('a', 'm1', 's1', 5),
    receipt('a', 'm1', 's1', 2),
    receipt('a', 'm1', 's2', 9),
  ])
  assert.deepEqual([...changes.keys()], ['a', 'b'])
  assert.deepEqual(changes.get('a')?.visits, [
    { memberId: 'm1', storeId: 's1', count: 2, lastAt: at(5) },
    { memberId: 'm1', storeId: 's2', count: 1, lastAt: at(9) },
  ])
})

test('returns, strangers and receipts without store are no visits', () => {
  assert.equal(isVisit(receipt('a', 'm1', 's1', 1, 'return')), false)
  assert.equal(isVisit(receipt('a', '', 's1', 1)), false)
  assert.equal(isVisit(receipt('a', 'm1', '', 1)), false)
  assert.equal(isVisit(receipt('a', 'm1', 's1', 1)), true)
})

test('of a member only the newest state counts, whatever the order', () => {
  const changes = collectChanges([member('m1', 2n, 's2'), member('m1', 1n, 's1'), member('m2', 1n, '', 'erased')])
  assert.deepEqual(changes.get('a')?.members, [
    { memberId: 'm1', version: 2n, storeId: 's2', erased: false },
    { memberId: 'm2', version: 1n, storeId: '', erased: true },
  ])
})

test('events of other kinds say nothing', () => {
  const pass = Event.fromPartial({ brand: 'a', payload: { $case: 'pass', value: { memberId: 'm1' } } })
  assert.equal(collectChanges([pass]).size, 0)
})
