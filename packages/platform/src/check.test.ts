import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkBigint,
  checkBrand,
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkPresent,
  checkText,
  checkUuid,
} from './check.ts'

const uuid = '0197A3B0-1111-7222-8333-444455556666'

describe('a check', () => {
  it('hands back what is right', () => {
    assert.equal(checkText('äöü😀', 'f', { min: 4, max: 4 }), 'äöü😀')
    assert.equal(checkText('', 'f', { max: 4 }), '')
    assert.equal(checkInt(5, 'f', { min: 5, max: 5 }), 5)
    assert.equal(checkBigint(5n, 'f', { min: 5n, max: 5n }), 5n)
    assert.deepEqual(checkList([1], 'f', { min: 1, max: 1 }), [1])
    assert.equal(checkBrand('a-1'), 'a-1')
    assert.equal(checkUuid(uuid, 'f'), uuid.toLowerCase())
    assert.equal(checkPresent(0, 'f'), 0)
    assert.equal(checkIdempotencyKey('k'.repeat(128)).length, 128)
  })

  it('names the field of what is wrong', () => {
    const wrong: readonly (() => unknown)[] = [
      () => checkText('', 'f', { min: 1 }),
      () => checkText('abc', 'f', { max: 2 }),
      () => checkText('a\0', 'f'),
      () => checkText('ab', 'f', { pattern: /^a$/ }),
      () => checkInt(1.5, 'f', { min: 0, max: 9 }),
      () => checkInt(Number.NaN, 'f', { min: 0, max: 9 }),
      () => checkInt(-1, 'f', { min: 0, max: 9 }),
      () => checkBigint(10n, 'f', { min: 0n, max: 9n }),
      () => checkList([], 'f', { min: 1 }),
      () => checkList([1, 2], 'f', { max: 1 }),
      () => checkBrand('', 'f'),
      () => checkBrand('Ä', 'f'),
      () => checkBrand('a'.repeat(41), 'f'),
      () => checkUuid(`${uuid}0`, 'f'),
      () => checkUuid('', 'f'),
      () => checkPresent(undefined, 'f'),
      () => checkIdempotencyKey('', 'f'),
      () => checkIdempotencyKey('k'.repeat(129), 'f'),
    ]
    for (const check of wrong) assert.throws(check, { code: 'INVALID_ARGUMENT', field: 'f' }, check.toString())
  })
})
