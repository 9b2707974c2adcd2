import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApnsRow } from '../rows.ts'
import { PushLog, RowWriter, WAITING_MAX } from './push-log.ts'
import type { ApnsReason } from './rules.ts'

test('a line is the JSON of its row, whatever the topic', () => {
  const rows = new RowWriter('pass."com"')
  const topics = ['', 'pass.com.demo', 'pass.com.demo', 'a"b\\', 'é\u0000\n', '']
  const reasons: readonly (ApnsReason | undefined)[] = [undefined, 'TopicDisallowed']
  for (const topic of topics) {
    for (const reason of reasons) {
      const verdict = { at: 1.5, token: 'ab', topic, status: 400, reason, goneSinceMs: 7, apnsId: 'id' }
      const row: ApnsRow = {
        at: 1.5,
        token: 'ab',
        topic,
        certUid: 'pass."com"',
        status: 400,
        ...(reason && { reason }),
        apnsId: 'id',
      }
      assert.equal(rows.line(verdict), `${JSON.stringify(row)}\n`)
    }
  }
})

test('a full log calls back once half of it is written', () => {
  const dones: (() => void)[] = []
  const log = new PushLog({ appendLines: (_lines, done) => dones.push(done) })
  const half = WAITING_MAX / 2
  const events: string[] = []
  log.append('a', half, () => events.push('a'))
  log.append('b', half - 1, () => events.push('b'))
  assert.ok(!log.isFull)
  log.append('c', 1, () => events.push('c'))
  assert.ok(log.isFull)
  log.whenRoom(() => events.push('room'))
  for (const done of dones.splice(0)) done()
  assert.deepEqual(events, ['a', 'room', 'b', 'c'])
  assert.ok(!log.isFull)
})
