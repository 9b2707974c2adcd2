import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { composePattern, formatMoney, parsePattern, placesOf } from './pattern.ts'

function compose(text: string, values: Record<string, bigint | string>, locale = 'en'): string {
  const parsed = parsePattern(text)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
  const source = {
    text: (name: string) => values[name]?.toString(),
    number: (name: string) => (typeof values[name] === 'bigint' ? values[name] : undefined),
  }
  return composePattern(parsed.pattern, source, locale)
}

describe('a pattern', () => {
  it('fills its places and leaves unknown ones empty', () => {
    assert.equal(
      compose('Hi {name}, {points} at { brand }!{x}', { name: 'Ann', points: 5n, brand: 'Demo' }),
      'Hi Ann, 5 at Demo!',
    )
  })

  it('chooses plural branches by the rules of the locale', () => {
    const english = 'You have {points, plural, =0 {nothing} one {# point} other {# points}}.'
    assert.equal(compose(english, { points: 0n }), 'You have nothing.')
    assert.equal(compose(english, { points: 1n }), 'You have 1 point.')
    assert.equal(compose(english, { points: 1234n }), 'You have 1,234 points.')
    const polish = '{points, plural, one {# punkt} few {# punkty} many {# punktów} other {# punktu}}'
    assert.deepEqual(
      [1n, 3n, 5n, 22n].map((points) => compose(polish, { points }, 'pl')),
      ['1 punkt', '3 punkty', '5 punktów', '22 punkty'],
    )
  })

  it('composes places inside a branch and keeps the spaces of its text', () => {
    assert.equal(compose('{points, plural, other { {name}: # }}', { points: 2n, name: 'Bo' }), ' Bo: 2 ')
  })

  it('reads apostrophes as text unless they quote', () => {
    assert.equal(compose("don't '{'name'}' ''x''", {}), "don't {name} 'x'")
  })

  it('never fills a place found in a value', () => {
    assert.equal(compose('{name}', { name: '{points}', points: 7n }), '{points}')
  })

  it('names what is wrong', () => {
    const reasons = {
      '{': /name of a place/,
      '{name': /expects ,/,
      'a } b': /without its \{/,
      '{points, select, a {b}}': /without the branch other/,
      '{points, ordinal, other {b}}': /plural and select/,
      '{points, plural, one {x}}': /without the branch other/,
      '{points, plural, some {x} other {y}}': /unknown branch/,
      '{points, plural, one {x} one {z} other {y}}': /twice/,
      [`${'{a, plural, other {'.repeat(5)}`]: /nests deeper/,
    }
    for (const [text, reason] of Object.entries(reasons)) {
      const parsed = parsePattern(text)
      assert.ok(!parsed.ok, text)
      assert.match(parsed.reason, reason)
    }
  })

  it('lists its places, those of branches too', () => {
    const parsed = parsePattern('{name} {points, plural, one {{brand}} other {#}}')
    assert.ok(parsed.ok)
    assert.deepEqual([...placesOf(parsed.pattern)].sort(), ['brand', 'name', 'points'])
  })
})

describe('money', () => {
  it('keeps every cent of a large amount and the decimals of the currency', () => {
    assert.equal(formatMoney(9_007_199_254_740_993n, 'GBP', 'en-GB'), '£90,071,992,547,409.93')
    assert.equal(formatMoney(-5n, 'EUR', 'en'), '-€0.05')
    assert.equal(formatMoney(1234n, 'JPY', 'en'), '¥1,234')
    assert.equal(formatMoney(1234n, '', 'en'), '1,234')
  })
})
