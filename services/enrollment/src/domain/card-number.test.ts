import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createCardNumbers, isCardNumber, luhnDigit } from './card-number.ts'

const key = createHash('sha256').update('brand').digest()

test('the check digit is that of published examples', () => {
  // The example of ISO/IEC 7812-1 as usually quoted, and numbers that payment networks publish for tests.
  assert.equal(luhnDigit('7992739871'), '3')
  assert.equal(luhnDigit('411111111111111'), '1')
  assert.equal(luhnDigit('555555555555444'), '4')
})

test('card numbers have 16 digits, the prefix, a right check digit and never repeat', () => {
  const made = createCardNumbers(key, '99').numbers(Array.from({ length: 20_000 }, (_, counter) => counter))
  assert.equal(new Set(made).size, made.length)
  for (const number of made) {
    assert.ok(isCardNumber(number), number)
    assert.ok(number.startsWith('99'))
  }
})

test('a prefix of six digits leaves room for a thousand million cards', () => {
  const numbers = createCardNumbers(key, '990123')
  assert.equal(numbers.capacity, 10 ** 9)
  assert.match(numbers.numbers([10 ** 9 - 1]).join(), /^990123\d{10}$/)
  assert.throws(() => numbers.numbers([10 ** 9]), RangeError)
})

test('no single wrong digit and no swap of neighbours (but 09 and 90) passes', () => {
  const [number = ''] = createCardNumbers(key, '99').numbers([5])
  for (let index = 0; index < number.length; index++) {
    for (let add = 1; add < 10; add++) {
      const digit = (Number(number[index]) + add) % 10
      assert.equal(isCardNumber(number.slice(0, index) + digit + number.slice(index + 1)), false)
    }
  }
  for (let index = 0; index + 1 < number.length; index++) {
    const pair = number.slice(index, index + 2)
    if (pair[0] === pair[1] || pair === '09' || pair === '90') continue
    const swapped = number.slice(0, index) + pair[1] + pair[0] + number.slice(index + 2)
    assert.equal(isCardNumber(swapped), false, swapped)
  }
})

test('other shapes are not card numbers', () => {
  for (const text of ['', '411111111111111', '41111111111111111', '4111 1111 1111 1111', '４111111111111111'])
    assert.equal(isCardNumber(text), false)
  for (const prefix of ['', '1234567', '9a']) assert.throws(() => createCardNumbers(key, prefix), RangeError)
})
