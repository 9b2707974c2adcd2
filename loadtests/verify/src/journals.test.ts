import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempDir } from '@stampede/platform/testing'
import { JournalError, readRows } from './journals.ts'

async function read(text: string): Promise<unknown[]> {
  using folder = tempDir('journal')
  const file = join(folder.path, 'a.ndjson')
  writeFileSync(file, text)
  return await Array.fromAsync(readRows(file))
}

test('rows come in order, empty lines are passed over', async () => {
  assert.deepEqual(await read('{"a":1}\n\n{"a":2}\n'), [{ a: 1 }, { a: 2 }])
})

test('a last line without its end was being written at a kill', async () => {
  assert.deepEqual(await read('{"a":1}\n{"a":'), [{ a: 1 }])
  assert.deepEqual(await read('{"a":1}\n{"a":2}'), [{ a: 1 }, { a: 2 }])
})

test('a damaged line is named, also as the last one', async () => {
  for (const text of ['{"a":1}\n{"a"\n{"a":2}\n', '{"a":1}\n{"a"\n', '{"a":1}\n{"a"\n{"b"']) {
    await assert.rejects(read(text), (error) => error instanceof JournalError && /:2 is not a row$/.test(error.message))
  }
})

test('a journal that is not there has no rows', async () => {
  assert.deepEqual(await Array.fromAsync(readRows('/nonexistent/a.ndjson')), [])
})
