import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ByteColumn } from '@stampede/platform'
import fc from 'fast-check'
import { makePushTable, slicesOf } from './push-table.ts'

function columnOf(tokens: readonly Uint8Array[]): ByteColumn {
  const starts: number[] = []
  const ends: number[] = []
  let at = 0
  for (const token of tokens) {
    starts.push(at)
    at += token.length
    ends.push(at)
  }
  return { message: Buffer.concat(tokens), starts, ends }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
/** Few different bytes and lengths, so that equal tokens and equal starts are frequent. */
const tokenLists = fc.array(
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 4 }).map((bytes) => Uint8Array.from(bytes)),
  { minLength: 1, maxLength: 200 },
)

describe('the table of pushes', () => {
  test('recipients have one push exactly when they have one token', () => {
    fc.assert(
      fc.property(tokenLists, fc.nat(), (tokens, seed) => {
        const table = makePushTable(columnOf(tokens), seed)
        const pushOf = new Map<string, number>()
        for (const [recipient, token] of tokens.entries()) {
          const push = table.pushOfRecipient[recipient]
          const known = pushOf.get(hex(token))
          if (known === undefined) assert.ok(push !== undefined && ![...pushOf.values()].includes(push))
          else assert.equal(push, known)
          pushOf.set(hex(token), push ?? -1)
        }
        assert.equal(table.size, pushOf.size)
      }),
    )
  })

  test('slices hold the token of each of their pushes, and all pushes once', () => {
    fc.assert(
      fc.property(tokenLists, fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }), (tokens, chosen) => {
        const table = makePushTable(columnOf(tokens), 7)
        const tokenOf = new Map(tokens.map((token, recipient) => [table.pushOfRecipient[recipient], hex(token)]))
        const pushes = Uint32Array.from({ length: table.size }, (_, push) => push).filter((push) => chosen[push])
        const seen: number[] = []
        for (const slice of slicesOf(table, pushes)) {
          for (const [at, push] of slice.pushes.entries()) {
            const token = slice.tokens.subarray(at * slice.tokenBytes, (at + 1) * slice.tokenBytes)
            assert.equal(hex(token), tokenOf.get(push))
            seen.push(push)
          }
        }
        assert.deepEqual(seen, [...pushes])
      }),
    )
  })

  test('tokens of the usual length stay in the order of the recipients', () => {
    const tokens = [3, 1, 2, 1].map((byte) => Buffer.alloc(32, byte))
    const { pushOfRecipient, groups } = makePushTable(columnOf(tokens), 1)
    assert.deepEqual([...pushOfRecipient], [0, 1, 2, 1])
    assert.equal(groups.length, 1)
    assert.deepEqual(
      groups[0]?.tokens.filter((_, at) => at % 32 === 0),
      Uint8Array.of(3, 1, 2),
    )
  })
})
