import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HpackDecoder } from './decoder.ts'
import { HpackError } from './errors.ts'
import { BlockGenerator } from './testing/blocks.ts'
import { decodeBlock, hex } from './testing/headers.ts'
import { mutated, type Random, withRandom } from './testing/random.ts'

const inputs = process.env['STAMPEDE_FULL'] === '1' ? 1_000_000 : 100_000
/** Longest block that a caller passes, in bytes. */
const BLOCK_BYTES_MAX = 65_536

describe('any bytes', () => {
  it('are either decoded or refused with an HpackError', () =>
    withRandom((random) => {
      const corpus = Array.from({ length: 500 }, () => new BlockGenerator(random).next().block)
      let refused = 0
      let decoder = freshDecoder(random)
      for (let input = 0; input < inputs; input += 1) {
        const block = random.once(4) ? randomBytes(random) : mutated(random, random.of(corpus))
        if (random.once(50)) decoder.setTableBytesMax(random.below(9_000))
        if (random.once(50)) decoder.watch(random.of(['apns-id', 'x-a', 'server', '']))
        if (isDecoded(decoder, block)) continue
        refused += 1
        decoder = freshDecoder(random)
      }
      assert.ok(refused > inputs / 10 && refused < inputs * 0.95, `${refused} of ${inputs} refused`)
    }))

  it('need bounded memory and time, whatever they expand to', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    // An entry whose name fills the table.
    const name = Buffer.concat([hex('40 7f a11e'), Buffer.alloc(4_000, 'n'), hex('00')])
    const blocks = [
      // 131 MB of names from two bytes each, with and without adding entries.
      Buffer.alloc(BLOCK_BYTES_MAX, hex('7e00')),
      Buffer.alloc(BLOCK_BYTES_MAX - 1, hex('0f2f00')),
      // One string, coded as short as it gets.
      Buffer.concat([hex('00 01 78 ff 80f003'), Buffer.alloc(63_615)]),
      // 21,845 empty entries.
      Buffer.alloc(BLOCK_BYTES_MAX - 1, hex('400000')),
    ]
    const before = process.memoryUsage().arrayBuffers
    const startedMs = performance.now()
    let headers = 0
    for (let turn = 0; turn < 10; turn += 1) {
      for (const block of blocks) {
        for (const part of [name, block]) decoder.decode(part, 0, part.length, { onHeader: () => (headers += 1) })
      }
    }
    assert.equal(headers, 10 * (4 + 32_768 + 21_845 + 1 + 21_845))
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
    assert.ok(performance.now() - startedMs < 5_000)
  })
})

function freshDecoder(random: Random): HpackDecoder {
  const decoder = new HpackDecoder({ tableBytesMax: random.of([0, 40, 4_096, 20_000]) })
  decoder.watch('apns-id')
  return decoder
}

function isDecoded(decoder: HpackDecoder, block: Uint8Array): boolean {
  try {
    decodeBlock(decoder, block)
    return true
  } catch (error) {
    if (error instanceof HpackError) return false
    throw new Error(`on ${Buffer.from(block).toString('hex')}`, { cause: error })
  }
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(40) }, () => random.below(256))
}
