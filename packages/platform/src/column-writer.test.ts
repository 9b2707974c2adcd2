import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PushResult } from '@stampede/proto/push/v1'
import fc from 'fast-check'
import { type ByteColumn, ColumnWriter } from './column-writer.ts'

const PASS_NO = 82
const DEVICE_LIBRARY_ID = 90

function columnOf(texts: readonly string[]): ByteColumn {
  const parts = texts.map((text) => Buffer.from(text))
  const ends = parts.map((_, entry) => parts.slice(0, entry + 1).reduce((sum, part) => sum + part.length, 0))
  return { message: Buffer.concat(parts), starts: ends.map((end, entry) => end - (parts[entry]?.length ?? 0)), ends }
}

const rows = fc.array(fc.record({ no: fc.maxSafeNat(), id: fc.string({ unit: 'binary', maxLength: 200 }) }), {
  maxLength: 20,
})

test('columns, or the selected entries of them, are what the generated codec writes', () => {
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.boolean()), (all, chosen) => {
      const selection = Uint32Array.from([...all.keys()].filter(() => chosen.next().value === true))
      // Room for nothing: it has to grow.
      const writer = new ColumnWriter(0)
      writer.numbers(
        PASS_NO,
        selection,
        Float64Array.from(all, ({ no }) => no),
      )
      writer.entries(DEVICE_LIBRARY_ID, columnOf(all.map(({ id }) => id)), selection)
      const written = PushResult.decode(writer.finish())
      const expected = [...selection].flatMap((entry) => all[entry] ?? [])
      assert.deepEqual(
        written.passNo,
        expected.map(({ no }) => BigInt(no)),
      )
      assert.deepEqual(
        written.deviceLibraryId,
        expected.map(({ id }) => id),
      )
    }),
  )
})

test('without a selection all entries are written', () => {
  const writer = new ColumnWriter(0)
  writer.entries(DEVICE_LIBRARY_ID, columnOf(['a', '', 'ccc']))
  assert.deepEqual(PushResult.decode(writer.finish()).deviceLibraryId, ['a', '', 'ccc'])
})
