import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StampedeError } from '@stampede/platform'
import { checkTexts } from './message.ts'

const good = [
  'Black Friday!',
  'Hello {name}, {points} points ({points_money}) at {brand}',
  '{points, plural, one {# point} other {# points}} wait',
  '{points, plural, =0 {none} few {# балла} other {# баллов}}',
]

for (const text of good) {
  test(`"${text}" is a message`, () => {
    assert.deepEqual(checkTexts([{ locale: 'en-GB', text }]), [{ locale: 'en-GB', text }])
  })
}

const bad: readonly (readonly [string, RegExp])[] = [
  ['', /texts\[0\].text/],
  ['x'.repeat(501), /texts\[0\].text/],
  ['open {name', /without its \}/],
  ['close name}', /without a \{/],
  ['{email}', /is not one of name, points/],
  ['{name, plural, other {x}}', /is not a plural of points/],
  ['{points, plural, one {x}}', /needs the form other/],
  ['{points, plural, one {{email}} other {x}}', /is not one of name/],
  ['{points, plural, one {x} one {y} other {z}}', /is there twice/],
  ['{points, plural, lots {x} other {y}}', /"lots" is not a plural category/],
]

for (const [text, message] of bad) {
  test(`"${text.slice(0, 40)}" is refused by its field`, () => {
    assert.throws(
      () => checkTexts([{ locale: 'en', text }]),
      (error) =>
        error instanceof StampedeError &&
        error.field === 'texts[0].text' &&
        message.test(`${error.field} ${error.message}`),
    )
  })
}

test('a locale that is none is refused', () => {
  assert.throws(() => checkTexts([{ locale: 'english language', text: 'x' }]), { field: 'texts[0].locale' })
  assert.throws(() => checkTexts([{ locale: 'en-12', text: 'x' }]), { field: 'texts[0].locale' })
})

test('a locale that is there twice is refused', () => {
  const text = 'x'
  assert.throws(
    () =>
      checkTexts([
        { locale: 'en-GB', text },
        { locale: 'en-gb', text },
      ]),
    { field: 'texts[1].locale' },
  )
})
