import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBER, ObjectIdentifier, UTCTime } from 'asn1js'
import { der, derOid, derSetOf, derTag, derUtcTime } from './der.ts'

test('lengths take as many bytes as they need', () => {
  for (const length of [0, 127, 128, 255, 256, 65_535, 65_536]) {
    const { result, offset } = fromBER(new Uint8Array(der(derTag.octetString, Buffer.alloc(length))))
    assert.equal(result.lenBlock.length, length)
    assert.notEqual(offset, -1)
  }
})

test('object identifiers and times are what asn1js writes', () => {
  for (const value of ['1.2.840.113549.1.7.2', '2.16.840.1.101.3.4.2.1', '0.9.2342.19200300.100.1.1']) {
    assert.deepEqual(derOid(value), Buffer.from(new ObjectIdentifier({ value }).toBER()))
  }
  for (const valueDate of [new Date('2026-11-22T00:59:01.999Z'), new Date('1999-01-02T03:04:05Z')]) {
    assert.deepEqual(derUtcTime(valueDate), Buffer.from(new UTCTime({ valueDate }).toBER()))
  }
  assert.throws(() => derUtcTime(new Date('2050-01-01T00:00:00Z')), RangeError)
})

test('a set is sorted by the encodings of its elements', () => {
  const [short, long] = [der(derTag.octetString, Buffer.from([9])), der(derTag.octetString, Buffer.from([1, 1]))]
  assert.deepEqual(derSetOf([long, short]), Buffer.concat([short, long]))
})
