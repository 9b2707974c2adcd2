import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeHuffman, encodeHuffman, huffmanBytes } from './huffman.ts'
import { hex } from './testing/headers.ts'

function coded(text: string): Uint8Array {
  const out = new Uint8Array(huffmanBytes(text))
  assert.equal(encodeHuffman(text, out, 0), out.length)
  return out
}

function decoded(bytes: Uint8Array): string | undefined {
  const out = new Uint8Array(3 + Math.floor((bytes.length * 8) / 5))
  const end = decodeHuffman(bytes, 0, bytes.length, out, 3)
  return end < 0 ? undefined : Buffer.from(out.subarray(3, end)).toString('latin1')
}

describe('Huffman code', () => {
  it('is that of RFC 7541 appendix B', () => {
    const codes: readonly (readonly [symbol: string, code: string])[] = [
      ['0', '00000'],
      ['-', '010110'],
      ['A', '100001'],
      ['&', '11111000'],
      ['?', '1111111100'],
      ['\\', '1111111111111110000'],
      ['\x00', '1111111111000'],
      ['\x01', '11111111111111111011000'],
      ['\x80', '11111111111111100110'],
      ['\xc7', '1111111111111111111101100'],
      ['\xff', '11111111111111111111101110'],
      ['\xf9', '1111111111111111111111111110'],
      ['\x7f', '1111111111111111111111111100'],
      ['\x16', '111111111111111111111111111110'],
    ]
    for (const [symbol, code] of codes) {
      const bits = [...coded(symbol)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
      assert.equal(bits, code.padEnd(bits.length, '1'), JSON.stringify(symbol))
    }
  })

  it('is decoded as it was written, for every pair of bytes', () => {
    for (let first = 0; first < 256; first += 1) {
      for (let second = 0; second < 256; second += 1) {
        const text = String.fromCharCode(first, second)
        assert.equal(decoded(coded(text)), text)
      }
    }
  })

  it('is decoded as it was written, for any text', () => {
    const byte = fc.oneof(fc.nat(255), fc.integer({ min: 0x20, max: 0x7e }))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
        const text = String.fromCharCode(...bytes)
        assert.equal(decoded(coded(text)), text)
      }),
    )
  })

  it('may be empty', () => {
    assert.equal(decoded(new Uint8Array(0)), '')
  })

  it('is refused when its padding is not all ones', () => {
    assert.equal(decoded(hex('07')), '0')
    for (const padded of ['00', '06', '03']) assert.equal(decoded(hex(padded)), undefined)
    // The start of a longer code that is not all ones.
    assert.equal(decoded(hex('07fe')), undefined)
  })

  it('is refused when its padding is longer than seven bits', () => {
    for (const padded of ['07ff', 'ff', 'ffff', '1fffffff', 'f8ff']) assert.equal(decoded(hex(padded)), undefined)
  })

  it('is refused with the end of string in it', () => {
    for (const bytes of ['ffffffff', 'fffffffc', '07ffffffff', 'fffffffc07ffffff'])
      assert.equal(decoded(hex(bytes)), undefined)
  })

  it('is never longer than 8/5 when decoded', () => {
    assert.equal(decoded(new Uint8Array(10)), '0'.repeat(16))
  })
})
