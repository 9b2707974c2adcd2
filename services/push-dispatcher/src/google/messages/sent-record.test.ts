import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  announced,
  highestLevel,
  isAnnounced,
  notificationsIn,
  parseSent,
  type SentEntry,
  withEntry,
  withoutEntry,
} from './sent-record.ts'

const hourMs = 3_600_000
const empty = parseSent(undefined)

function entry(id: string, atMs: number, more: Partial<SentEntry> = {}): SentEntry {
  return { id, atMs, notifies: true, done: true, ...more }
}

describe('the record of what was sent', () => {
  test('counts notifications of a day and a little more, but not silent messages nor the one in question', () => {
    const entries = [entry('a', 0), entry('b', hourMs), entry('c', 2 * hourMs, { notifies: false })]
    const record = { ...empty, entries }
    assert.equal(notificationsIn(record, '', 24 * hourMs), 2)
    assert.equal(notificationsIn(record, 'b', 24 * hourMs), 1)
    assert.equal(notificationsIn(record, '', 24 * hourMs + 360_000), 1)
    assert.equal(notificationsIn(record, '', 26 * hourMs), 0)
  })

  test('has each id once, the newest last, and forgets the oldest of very many', () => {
    let record = withEntry(withEntry(empty, entry('a', 1)), entry('b', 2))
    record = withEntry(record, entry('a', 3))
    assert.deepEqual(
      record.entries.map(({ id, atMs }) => [id, atMs]),
      [
        ['b', 2],
        ['a', 3],
      ],
    )
    assert.deepEqual(withoutEntry(record, 'b').entries, [entry('a', 3)])
    for (let index = 0; index < 150; index++) record = withEntry(record, entry(`m${index}`, index))
    assert.deepEqual([record.entries.length, record.entries[0]?.id], [100, 'm50'])
  })

  test('a level that is announced lasts as long as a notification that follows, and covers the lower ones', () => {
    const record = announced(empty, 2, 0)
    assert.equal(highestLevel(record, 0), 2)
    assert.ok(isAnnounced(record, 1, 0) && isAnnounced(record, 2, 0) && !isAnnounced(record, 3, 0))
    assert.ok(isAnnounced(record, 2, 600_000), 'many objects share one announcement')
    assert.ok(!isAnnounced(record, 2, 700_000))
    assert.equal(highestLevel(record, 24 * hourMs), 2)
    assert.equal(highestLevel(record, 25 * hourMs), 0)
    const later = announced(record, 1, 2 * hourMs)
    assert.equal(highestLevel(later, 25 * hourMs), 1)
  })

  test('what is stored is read with care', () => {
    assert.deepEqual(parseSent({ entries: 'x', levels: {} }), empty)
    const record = withEntry(empty, entry('a', 1))
    assert.deepEqual(parseSent(JSON.parse(JSON.stringify(record))), record)
  })
})
