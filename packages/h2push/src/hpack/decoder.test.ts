import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HpackDecoder, STATUS_ID, WATCHED_NAMES_MAX } from './decoder.ts'
import { HpackError } from './errors.ts'
import { writeInteger } from './integer.ts'
import { decodeBlock, decodeWatchIds, type Header, hex } from './testing/headers.ts'
import { Random } from './testing/random.ts'

function raw(text: string): Uint8Array {
  const length = new Uint8Array(8)
  return Buffer.concat([length.subarray(0, writeInteger(length, 0, 0, 0x7f, text.length)), Buffer.from(text, 'latin1')])
}

function literal(first: number, name: string, value: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(first), raw(name), raw(value)])
}

/** A literal that goes into the table and takes that many bytes of it; the name has one byte. */
function sized(name: string, bytes: number): Uint8Array {
  return literal(0x40, name, '.'.repeat(bytes - 33))
}

function tableOf(decoder: HpackDecoder): readonly Header[] {
  const found: Header[] = []
  try {
    for (let index = 62; index < 126; index += 1) found.push(...decodeBlock(decoder, Uint8Array.of(0x80 | index)))
  } catch (error) {
    assert.ok(error instanceof HpackError)
  }
  return found
}

function namesOf(decoder: HpackDecoder): readonly string[] {
  return tableOf(decoder).map(([name]) => name)
}

function refuses(block: string, message: RegExp, decoder = new HpackDecoder({ tableBytesMax: 4_096 })): void {
  assert.throws(
    () => decodeBlock(decoder, hex(block)),
    (error) => {
      assert.ok(error instanceof HpackError)
      assert.equal(error.code, 'compression')
      assert.match(error.message, message)
      return true
    },
  )
}

describe('a block', () => {
  it('may be empty', () => {
    assert.deepEqual(decodeBlock(new HpackDecoder({ tableBytesMax: 4_096 }), new Uint8Array(0)), [])
  })

  it('with index 0 or one out of range is refused', () => {
    refuses('80', /index 0/)
    refuses('be', /index 62/)
    refuses('7e0161', /index 62/)
    refuses('ff00', /index 127/)
    refuses('0f2f0161', /index 62/)
  })

  it('is refused wherever it is cut', () => {
    const block = hex('40 03 61626c 05 68656c6c6f')
    for (let length = 1; length < block.length; length += 1)
      refuses(Buffer.from(block.subarray(0, length)).toString('hex'), /truncated/)
    refuses('ff', /truncated integer/)
    refuses('ffff', /truncated integer/)
    refuses('007f', /truncated integer/)
  })

  it('with a string longer than itself is refused', () => {
    refuses('00 01 61 7f 81ffff7f', /truncated string/)
    refuses('00 ff 81ffff7f', /truncated string/)
  })

  it('with malformed Huffman code is refused', () => {
    refuses('08 81 00', /Huffman/)
    refuses('00 81 ff 00', /Huffman/)
  })

  it('with never-indexed literals leaves the table alone', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    const block = Buffer.concat([literal(0x10, 'authorization', 'secret'), hex('1f08 03 616263')])
    assert.deepEqual(decodeBlock(decoder, block), [
      ['authorization', 'secret'],
      ['authorization', 'abc'],
    ])
    assert.deepEqual(tableOf(decoder), [])
  })
})

describe('the dynamic table', () => {
  it('evicts the oldest entries, exactly when it must', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 100 })
    decodeBlock(decoder, Buffer.concat([sized('a', 50), sized('b', 50)]))
    assert.deepEqual(namesOf(decoder), ['b', 'a'])
    decodeBlock(decoder, sized('c', 33))
    assert.deepEqual(namesOf(decoder), ['c', 'b'])
    decodeBlock(decoder, sized('d', 100))
    assert.deepEqual(namesOf(decoder), ['d'])
  })

  it('is emptied by an entry larger than itself, which is passed on nevertheless', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 100 })
    decodeBlock(decoder, sized('a', 50))
    assert.deepEqual(decodeBlock(decoder, sized('b', 101)), [['b', '.'.repeat(68)]])
    assert.deepEqual(tableOf(decoder), [])
    decodeBlock(decoder, sized('c', 50))
    assert.deepEqual(namesOf(decoder), ['c'])
  })

  it('gives the name to an entry that evicts it', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 100 })
    decodeBlock(decoder, literal(0x40, 'name', '.'.repeat(60)))
    assert.deepEqual(decodeBlock(decoder, hex('7e 03 616263')), [['name', 'abc']])
    assert.deepEqual(tableOf(decoder), [['name', 'abc']])
    // Also when the new entry does not fit at all.
    const long = Buffer.concat([hex('7e 46'), Buffer.alloc(70, '.')])
    assert.deepEqual(decodeBlock(decoder, long), [['name', '.'.repeat(70)]])
    assert.deepEqual(tableOf(decoder), [])
  })

  it('keeps its entries however often the bytes move', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    const expected: Header[] = []
    for (let turn = 0; turn < 3_000; turn += 1) {
      const header = [`n${turn % 7}`, `${turn}`.repeat(1 + (turn % 40))] as const
      decodeBlock(decoder, literal(0x40, ...header))
      expected.unshift(header)
      if (turn % 100 === 0) assert.deepEqual(tableOf(decoder), expected.slice(0, tableOf(decoder).length))
    }
    assert.ok(tableOf(decoder).length > 20)
  })

  it('loses no byte of a header that ends where the bytes end', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    const random = new Random(1)
    const name = 'n'.repeat(50)
    decodeBlock(decoder, literal(0x40, name, ''))
    for (let turn = 0; turn < 5_000; turn += 1) {
      // Codes of five bits, all zero: the most that a byte can give.
      const bytes = 5 * (1 + random.below(25))
      const block = Buffer.concat([Uint8Array.of(0x7e, 0x80 | bytes), Buffer.alloc(bytes)])
      assert.deepEqual(decodeBlock(decoder, block), [[name, '0'.repeat((bytes * 8) / 5)]])
    }
  })

  it('holds as many entries as fit', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    const nameOf = (entry: number): string => String.fromCharCode(0x21 + entry)
    for (let entry = 0; entry < 130; entry += 1) decodeBlock(decoder, literal(0x40, nameOf(entry), ''))
    // 4,096 bytes hold 124 of 33, or 128 without a name.
    assert.deepEqual(decodeBlock(decoder, hex('be ff3a')), [
      [nameOf(129), ''],
      [nameOf(6), ''],
    ])
    assert.throws(() => decodeBlock(decoder, hex('ff3b')), /index 186/)
    for (let entry = 0; entry < 130; entry += 1) decodeBlock(decoder, literal(0x40, '', ''))
    assert.deepEqual(decodeBlock(decoder, hex('ff3e')), [['', '']])
    assert.throws(() => decodeBlock(decoder, hex('ff3f')), /index 190/)
  })

  it('keeps its entries when one string needs more room than all', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    decodeBlock(decoder, Buffer.concat([sized('a', 50), sized('b', 60)]))
    // Longer than the table, and not to be indexed.
    const long = Buffer.concat([hex('00 01 78 ff fffe02'), Buffer.alloc(49_150)])
    const [header] = decodeBlock(decoder, long)
    assert.equal(header?.[1], '0'.repeat((49_150 * 8) / 5))
    assert.deepEqual(namesOf(decoder), ['b', 'a'])
  })
})

describe('a table size update', () => {
  it('evicts', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    decodeBlock(decoder, Buffer.concat([sized('a', 50), sized('b', 50)]))
    decodeBlock(decoder, hex('3f2b'))
    assert.deepEqual(namesOf(decoder), ['b'])
    decodeBlock(decoder, hex('20 3fe11f'))
    assert.deepEqual(tableOf(decoder), [])
    decodeBlock(decoder, sized('c', 4_096 - 3_900))
    assert.deepEqual(namesOf(decoder), ['c'])
  })

  it('above the maximum is refused', () => {
    refuses('3fe21f', /4097 of 4096/)
    refuses('21', /1 of 0/, new HpackDecoder({ tableBytesMax: 0 }))
  })

  it('after a header is refused', () => {
    refuses('88 20', /inside a block/)
    refuses('20 88 20', /inside a block/)
  })

  it('is needed to use more than the initial 4,096 bytes', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 8_192 })
    const entry = Buffer.concat([hex('40 01 61 7f ab1e'), Buffer.alloc(4_010, '.')])
    const pair = Buffer.concat([entry, sized('b', 60)])
    decodeBlock(decoder, pair)
    assert.deepEqual(namesOf(decoder), ['b'])
    decodeBlock(decoder, Buffer.concat([hex('3fe13f'), pair]))
    assert.deepEqual(namesOf(decoder), ['b', 'a', 'b'])
  })
})

describe('a maximum lowered by us', () => {
  function withEntry(): HpackDecoder {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    decodeBlock(decoder, sized('a', 50))
    return decoder
  }

  it('must be answered by a size update at most as large', () => {
    const decoder = withEntry()
    decoder.setTableBytesMax(100)
    refuses('88', /one is due/, decoder)
    const second = withEntry()
    second.setTableBytesMax(100)
    refuses('3f46 88', /101 of 100/, second)
    const third = withEntry()
    third.setTableBytesMax(100)
    assert.deepEqual(decodeBlock(third, hex('3f45 be')), [['a', '.'.repeat(17)]])
    assert.deepEqual(decodeBlock(third, hex('be')), [['a', '.'.repeat(17)]])
  })

  it('and raised again must be answered by the smallest first', () => {
    const decoder = withEntry()
    decoder.setTableBytesMax(0)
    decoder.setTableBytesMax(4_096)
    refuses('3fe11f 88', /4096 of 0/, decoder)
    const low = withEntry()
    low.setTableBytesMax(0)
    low.setTableBytesMax(100)
    refuses('3f45 88', /100 of 0/, low)
    const second = withEntry()
    second.setTableBytesMax(0)
    second.setTableBytesMax(4_096)
    decodeBlock(second, hex('20 3fe11f 88'))
    decodeBlock(second, sized('b', 100))
    assert.deepEqual(namesOf(second), ['b'])
  })

  it('needs no answer while the table is within it, or from a peer that has nothing in its table', () => {
    const decoder = withEntry()
    decoder.setTableBytesMax(8_192)
    decoder.setTableBytesMax(4_096)
    assert.deepEqual(decodeBlock(decoder, hex('be')), [['a', '.'.repeat(17)]])
    const empty = new HpackDecoder({ tableBytesMax: 4_096 })
    empty.setTableBytesMax(0)
    assert.deepEqual(decodeBlock(empty, hex('88')), [[':status', '200']])
    decodeBlock(empty, sized('b', 50))
    assert.deepEqual(tableOf(empty), [])
  })

  it('keeps the entries of a raised one', () => {
    const decoder = withEntry()
    decodeBlock(decoder, sized('b', 60))
    decoder.setTableBytesMax(65_536)
    decodeBlock(decoder, Buffer.concat([hex('3fe1ff03'), sized('c', 70)]))
    assert.deepEqual(namesOf(decoder), ['c', 'b', 'a'])
  })

  it('is at most 1 MiB', () => {
    for (const bytes of [-1, 1.5, 1_048_577, Number.NaN]) {
      assert.throws(() => new HpackDecoder({ tableBytesMax: bytes }), RangeError)
      assert.throws(() => new HpackDecoder({ tableBytesMax: 0 }).setTableBytesMax(bytes), RangeError)
    }
  })
})

describe('watched names', () => {
  it('have ids that stay', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    assert.equal(decoder.watch(':status'), STATUS_ID)
    const id = decoder.watch('apns-id')
    assert.ok(id >= 2)
    assert.equal(decoder.watch('apns-id'), id)
    assert.notEqual(decoder.watch('retry-after'), id)
  })

  it('are known in every representation', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    const [apns, retry] = [decoder.watch('apns-id'), decoder.watch('retry-after')]
    const block = Buffer.concat([
      hex('88 08 03 343034'),
      literal(0x40, 'apns-id', '1'),
      hex('be 7e0132 0f2f0133'),
      literal(0x00, 'apns-id', '4'),
      literal(0x10, 'apns-ie', '5'),
      literal(0x10, 'apns', '6'),
      hex('7501 37 0f260138 be'),
    ])
    assert.deepEqual(decodeWatchIds(decoder, block), [
      ...[STATUS_ID, STATUS_ID, apns, apns, apns, apns, apns],
      ...[0, 0, retry, retry, retry],
    ])
  })

  it('are found in entries that came before', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4_096 })
    decodeBlock(decoder, Buffer.concat([literal(0x40, 'apns-id', '1'), literal(0x40, 'server', '2')]))
    assert.deepEqual(decodeWatchIds(decoder, hex('be bf')), [0, 0])
    const id = decoder.watch('apns-id')
    assert.deepEqual(decodeWatchIds(decoder, hex('be bf 7e0133')), [0, id, 0])
  })

  it('are bounded', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 0 })
    for (let count = 2; count < WATCHED_NAMES_MAX; count += 1) decoder.watch(`n${count}`)
    assert.throws(() => decoder.watch('more'), RangeError)
    assert.equal(decoder.watch('n7'), 7)
  })
})
