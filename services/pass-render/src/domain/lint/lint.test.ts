import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testPng } from '@stampede/pkpass/testing'
import { testTemplate } from '../../testing/fixture.ts'
import { contrastOf, lintTemplate } from './lint.ts'
import { parityGaps } from './parity.ts'

type Change = Parameters<typeof testTemplate>[0]

function found(change: Change, hasGoogle = true): readonly string[] {
  return lintTemplate(testTemplate(change), hasGoogle).map(({ severity, field }) => `${severity} ${field}`)
}

describe('lint', () => {
  it('knows the contrast of black on white and of a colour on itself', () => {
    assert.equal(contrastOf(0x000000, 0xffffff), 21)
    assert.equal(contrastOf(0x336699, 0x336699), 1)
  })

  const cases: readonly (readonly [what: string, change: Change, finding: string])[] = [
    ['text that hardly stands out', { labelColor: 0x112244 }, 'warning template.label_color'],
    [
      'an image that the style does not draw',
      { images: { 'thumbnail.png': testPng(90, 90, 0) } },
      'warning template.images[thumbnail.png]',
    ],
    ['a resolution that is missing', {}, 'warning template.images[icon@2x.png]'],
    [
      'a text that is cut off',
      { headerFields: [{ key: 'h', label: '', value: 'A very long header', changeMessage: '', kind: '' }] },
      'warning template.header_fields[0]',
    ],
    [
      'a language that lacks texts',
      { languages: [{ locale: 'ru', texts: {} }] },
      'warning template.languages[0].texts',
    ],
    [
      'a value that is shown nowhere',
      { values: [{ name: 'x', kind: '', currency: '', defaultValue: '' }] },
      'warning template.values[0]',
    ],
    ['a name that Google cuts off', { logoText: 'The very long name of a card' }, 'warning template.logo_text'],
    ['a fault', { style: 'round' }, 'error template.style'],
  ]
  for (const [what, change, finding] of cases) {
    it(`finds ${what}`, () => {
      assert.ok(found(change).includes(finding), found(change).join('\n'))
    })
  }

  it('says nothing about Google to a brand without an issuer', () => {
    assert.deepEqual(
      found({ logoText: 'The very long name of a card' }, false).filter((line) => line.includes('logo_text')),
      [],
    )
  })
})

describe('the parity report', () => {
  it('says what each wallet cannot show, and only that', () => {
    const gaps = (change: Change) => parityGaps(testTemplate(change)).map(({ wallet, field }) => `${wallet} ${field}`)
    const plain = { barcodeFormats: ['qr'], primaryFields: [] }
    assert.deepEqual(gaps(plain), ['google template.label_color'])
    assert.deepEqual(gaps({ ...plain, poster: true, style: 'gift_card' }), [
      'google template.label_color',
      'google template.poster',
      'apple template.style',
      'apple template.poster',
    ])
    const strip = { ...plain, images: { 'strip.png': testPng(375, 144, 0) } }
    assert.ok(gaps(strip).includes('google template.images[strip.png]'))
    assert.ok(
      !gaps({ ...strip, googleHeroUrl: 'https://a.test/hero.png' }).includes('google template.images[strip.png]'),
    )
  })
})
