import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { INTEGER_BYTES_MAX, INTEGER_MAX, integerBytes, readInteger, writeInteger } from './integer.ts'
import { hex } from './testing/headers.ts'

function written(flags: number, prefixMax: number, value: number): Uint8Array {
  const out = new Uint8Array(16)
  return out.subarray(0, writeInteger(out, 0, flags, prefixMax, value))
}

describe('integers', () => {
  it('are written like in RFC 7541 appendix C.1', () => {
    assert.deepEqual(written(0, 0x1f, 10), Uint8Array.of(0x0a))
    assert.deepEqual(written(0, 0x1f, 1_337), Uint8Array.of(0x1f, 0x9a, 0x0a))
    assert.deepEqual(written(0, 0xff, 42), Uint8Array.of(0x2a))
    assert.equal(readInteger(hex('1f9a0a'), 1, 3, 0x1f), 1_337)
  })

  it('are read as they were written', () => {
    const prefix = fc.constantFrom(0x0f, 0x1f, 0x3f, 0x7f)
    fc.assert(
      fc.property(prefix, fc.oneof(fc.nat(INTEGER_MAX), fc.nat(400)), (prefixMax, value) => {
        const bytes = written(0x80, prefixMax, value)
        assert.ok(bytes.length <= INTEGER_BYTES_MAX)
        if (bytes.length === 1) return assert.equal(bytes[0], 0x80 | value)
        assert.equal(readInteger(bytes, 1, bytes.length, prefixMax), value)
        assert.equal(1 + integerBytes(bytes, 1), bytes.length)
      }),
    )
  })

  it('may have leading zeros, up to five bytes', () => {
    assert.equal(readInteger(hex('8080808000'), 0, 5, 0x7f), 127)
    assert.equal(integerBytes(hex('8080808000'), 0), 5)
    assert.throws(() => readInteger(hex('808080808000'), 0, 6, 0x7f), /integer too long/)
  })

  it('above 2^28 are refused, even those that would overflow', () => {
    assert.equal(readInteger(hex('81ffff7f'), 0, 4, 0x7f), INTEGER_MAX)
    for (const bytes of ['82ffff7f00', 'ffffffff7f', 'ffffffff0f', 'ffffffffff'])
      assert.throws(() => readInteger(hex(bytes), 0, 5, 0x7f), { code: 'compression' })
  })

  it('that are truncated are refused', () => {
    assert.throws(() => readInteger(hex('ff8001'), 1, 2, 0x7f), /truncated integer/)
    assert.throws(() => readInteger(hex('ff'), 1, 1, 0x7f), /truncated integer/)
  })
})
