import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testBrand } from '../testing/fixture.ts'
import { genericText } from './generic-message.ts'

const brand = testBrand('shop')

describe('a message for everybody', () => {
  const cases = [
    ['Twice the points this weekend!', 'Twice the points this weekend!'],
    ['Hello {name}! Twice the points at {brand}. See you.', 'Twice the points at Brand shop. See you.'],
    ['You have {points, plural, one {# point} other {# points}}. Come. Soon!', 'Come. Soon!'],
    ['{name}, twice the points', ''],
    ['Ask {contact}… Now', 'Ask help@shop.test… Now'],
    ['Only {points_money} left. ', ''],
    ['{tier, select, gold {Gold day. Come!} other {Come!}} Bye.', ''],
    ['Broken {', ''],
    ['Скидка 2.5 рубля. Привет, {name}!', 'Скидка 2.5 рубля.'],
  ] as const
  for (const [text, expected] of cases) {
    it(`of "${text}" is "${expected}"`, () => assert.equal(genericText(text, brand, 'en'), expected))
  }
})
