import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempDir } from '@stampede/platform/testing'
import { sortConsole } from './console.ts'

test('acknowledgements go to the journal, complaints and exceptions are told, a torn line is passed over', async () => {
  using folder = tempDir('load-console')
  const [log, journal] = [join(folder.path, 'console.log'), join(folder.path, 'journal.ndjson')]
  const acknowledgement = (key: string) => ({ level: 'info', source: 'console', msg: JSON.stringify({ key, id: 'x' }) })
  const lines = [
    acknowledgement('a'),
    acknowledgement('b'),
    acknowledgement('a'),
    { level: 'error', source: 'console', msg: 'earn: status 14' },
    { level: 'error', source: 'stacktrace', msg: 'TypeError' },
    { level: 'info', msg: 'of k6 itself' },
  ]
  writeFileSync(log, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"level":"inf`)
  assert.deepEqual(await sortConsole(log, journal), {
    acknowledged: 3,
    keys: 2,
    exceptions: 1,
    complaints: ['earn: status 14', 'TypeError'],
    complaintCount: 2,
  })
  assert.equal(readFileSync(journal, 'utf8'), '{"key":"a","id":"x"}\n{"key":"b","id":"x"}\n{"key":"a","id":"x"}\n')
})
