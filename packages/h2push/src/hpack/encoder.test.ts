import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HpackDecoder } from './decoder.ts'
import { HpackEncoder, headerBytesMax, type IndexMode } from './encoder.ts'
import { decodeBlock, encodeBlock, type Header, hex } from './testing/headers.ts'

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** A header that takes that many bytes of the table; the name has one byte. */
function sized(name: string, bytes: number): Header {
  return [name, '.'.repeat(bytes - 33)]
}

const latin1 = fc.string({ unit: fc.nat(255).map((byte) => String.fromCharCode(byte)), maxLength: 150 })
// Few names and values, so that they meet again.
const anyHeader = fc.tuple(
  fc.oneof(fc.constantFrom(':path', ':method', 'a', 'b', 'apns-id'), latin1),
  fc.oneof(fc.constantFrom('', '/', 'GET', 'x', 'y'.repeat(700)), latin1),
  fc.constantFrom<IndexMode>('index', 'index', 'literal', 'never'),
)
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.array(anyHeader, { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.oneof(fc.nat(5_000), fc.constantFrom(0, 31, 100, 4_096, 65_536)) },
)

describe('the encoder', () => {
  it('is understood by the decoder, in all modes and with any changes of the table size', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder({ tableBytesMax: 4_096 })]
        for (const step of steps) {
          if (typeof step === 'number') {
            encoder.setPeerTableBytesMax(step)
            decoder.setTableBytesMax(step)
            continue
          }
          const block = encodeBlock(encoder, step)
          assert.deepEqual(
            decodeBlock(decoder, block),
            step.map(([name, value]) => [name, value]),
          )
        }
      }),
      { numRuns: 300 },
    )
  })

  it('writes an index where there is one, static or dynamic', () => {
    const encoder = new HpackEncoder()
    assert.equal(
      hexOf(
        encodeBlock(encoder, [
          [':method', 'POST'],
          [':authority', ''],
        ]),
      ),
      '8381',
    )
    encodeBlock(encoder, [['apns-topic', 'pass.one']])
    encodeBlock(encoder, [['apns-topic', 'pass.two']])
    assert.equal(hexOf(encodeBlock(encoder, [['apns-topic', 'pass.one']])), 'bf')
    assert.equal(hexOf(encodeBlock(encoder, [['apns-topic', 'pass.two']])), 'be')
    assert.equal(encodeBlock(encoder, [['apns-topic', 'pass.six']])[0], 0x40 | 62)
  })

  it('finds the entry that is left when an equal one is evicted', () => {
    const encoder = new HpackEncoder()
    encoder.setPeerTableBytesMax(100)
    encodeBlock(encoder, [sized('a', 40), sized('b', 40)])
    // The name of an entry that its own insertion evicts.
    assert.equal(encodeBlock(encoder, [['a', 'x'.repeat(20)]])[0], 0x40 | 63)
    assert.equal(encoder.contains(...sized('a', 40)), false)
    assert.equal(hexOf(encodeBlock(encoder, [sized('b', 40)])), 'bf')
    assert.equal(hexOf(encodeBlock(encoder, [['a', 'x'.repeat(20)]])), 'be')
  })

  it('leaves the table alone for what does not fit', () => {
    const encoder = new HpackEncoder()
    encodeBlock(encoder, [sized('a', 50)])
    const { epoch } = encoder
    assert.equal(encoder.fits(...sized('b', 4_096)), true)
    assert.equal(encoder.fits(...sized('b', 4_097)), false)
    assert.equal(encodeBlock(encoder, [sized('b', 4_097)])[0], 0x00)
    assert.equal(encoder.epoch, epoch)
    assert.equal(hexOf(encodeBlock(encoder, [sized('a', 50)])), 'be')
  })

  it('writes the value last and raw in the modes literal and never, even where there is an index', () => {
    for (const mode of ['literal', 'never'] as const) {
      const encoder = new HpackEncoder()
      for (const [name, value] of [
        [':path', '/'],
        ['custom-name', 'a\xff'.repeat(200)],
        ['', ''],
      ] as const) {
        encodeBlock(encoder, [['custom-name', 'x']])
        const { epoch } = encoder
        const block = encodeBlock(encoder, [[name, value]], mode)
        assert.equal((block[0] ?? 0) >> 4, mode === 'never' ? 1 : 0)
        assert.equal(Buffer.from(block.subarray(block.length - value.length)).toString('latin1'), value)
        assert.equal(encoder.epoch, epoch)
      }
    }
  })

  it('never writes more than it says', () => {
    fc.assert(
      fc.property(fc.array(anyHeader, { maxLength: 60 }), (headers) => {
        const encoder = new HpackEncoder()
        const out = new Uint8Array(100_000)
        for (const [name, value, mode] of headers)
          assert.ok(encoder.header(out, 0, name, value, mode) <= headerBytesMax(name, value))
      }),
    )
  })
})

describe('the table of the peer', () => {
  it('of no bytes is not used', () => {
    const encoder = new HpackEncoder()
    encoder.setPeerTableBytesMax(0)
    assert.equal(encoder.fits('', ''), false)
    const block = encodeBlock(encoder, [['a', 'b']])
    assert.equal(hexOf(block), '20000161' + '0162')
    const { epoch } = encoder
    assert.equal(hexOf(encodeBlock(encoder, [['a', 'b']])), '00016101' + '62')
    assert.equal(encoder.epoch, epoch)
  })

  it('is announced once: the smallest size, then the last one', () => {
    const encoder = new HpackEncoder()
    for (const bytes of [100, 0, 50, 200]) encoder.setPeerTableBytesMax(bytes)
    assert.equal(hexOf(encodeBlock(encoder, [])), '20' + '3fa901')
    assert.equal(hexOf(encodeBlock(encoder, [])), '')
    for (const bytes of [4_096, 100]) encoder.setPeerTableBytesMax(bytes)
    assert.equal(hexOf(encodeBlock(encoder, [])), '3f45')
    encoder.setPeerTableBytesMax(1_000_000)
    assert.equal(hexOf(encodeBlock(encoder, [])), '3fe11f')
  })

  it('is used up to 4,096 bytes, so that larger ones change nothing', () => {
    const encoder = new HpackEncoder()
    const { epoch } = encoder
    encoder.setPeerTableBytesMax(65_536)
    encoder.setPeerTableBytesMax(8_192)
    assert.equal(hexOf(encodeBlock(encoder, [])), '')
    assert.equal(encoder.epoch, epoch)
  })

  it('lowered and raised before a block is announced although it is the same again', () => {
    const encoder = new HpackEncoder()
    encodeBlock(encoder, [sized('a', 50)])
    encoder.setPeerTableBytesMax(0)
    encoder.setPeerTableBytesMax(4_096)
    assert.equal(encoder.contains(...sized('a', 50)), false)
    assert.equal(hexOf(encodeBlock(encoder, [])), '20' + '3fe11f')
  })

  it('lowered mid-flight keeps what fits', () => {
    const encoder = new HpackEncoder()
    encodeBlock(encoder, [sized('a', 50), sized('b', 50)])
    encoder.setPeerTableBytesMax(60)
    assert.equal(encoder.contains(...sized('a', 50)), false)
    assert.equal(hexOf(encodeBlock(encoder, [sized('b', 50)])), '3f1d' + 'be')
  })
})

describe('the epoch', () => {
  it('grows with each insertion and each change of size, not with what changes no index', () => {
    const encoder = new HpackEncoder()
    let last = encoder.epoch
    const changes = (act: () => void): boolean => {
      act()
      const isChanged = encoder.epoch > last
      last = encoder.epoch
      return isChanged
    }
    assert.equal(
      changes(() => encodeBlock(encoder, [['a', '1']])),
      true,
    )
    assert.equal(
      changes(() =>
        encodeBlock(encoder, [
          ['a', '1'],
          [':method', 'GET'],
        ]),
      ),
      false,
    )
    assert.equal(
      changes(() => encodeBlock(encoder, [['a', '2']], 'literal')),
      false,
    )
    assert.equal(
      changes(() => encodeBlock(encoder, [['a', '2']], 'never')),
      false,
    )
    assert.equal(
      changes(() => encoder.setPeerTableBytesMax(1_000)),
      true,
    )
    assert.equal(
      changes(() => encoder.setPeerTableBytesMax(1_000)),
      false,
    )
    assert.equal(
      changes(() => encodeBlock(encoder, [])),
      false,
    )
  })

  it('unchanged means that the same bytes have the same meaning', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder({ tableBytesMax: 4_096 })]
    const headers: readonly Header[] = [
      [':method', 'POST'],
      ['apns-topic', 'pass.one'],
      ['apns-priority', '5'],
    ]
    decodeBlock(decoder, encodeBlock(encoder, headers))
    const { epoch } = encoder
    const block = encodeBlock(encoder, headers)
    assert.equal(encoder.epoch, epoch)
    assert.equal(hexOf(block), hexOf(hex('83bfbe')))
    for (let times = 0; times < 3; times += 1) assert.deepEqual(decodeBlock(decoder, block), headers)
  })
})
