import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PassBarcode } from '@stampede/pkpass'
import { SampleCard } from '@stampede/proto/passes/v1'
import { sampleFace } from '../rpc/preview-template.ts'
import { testBrand } from '../testing/fixture.ts'
import { drawBarcode } from './barcode.ts'
import type { Face } from './face.ts'
import { pickImage } from './images.ts'
import { toPng } from './png.ts'
import { drawSides } from './preview.ts'
import { samples } from './testing/samples.ts'
import { shorten, widthOf, wrap } from './text.ts'

const brand = { ...testBrand('demo'), currency: 'EUR' }
const style = { size: 15, weight: 'Regular', colour: '#000000' } as const
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

/** Outlines of texts: left, right, top and bottom of each. */
function outlines(svg: string): readonly { readonly xs: readonly number[]; readonly ys: readonly number[] }[] {
  const texts = [...svg.matchAll(/<path fill="[^"]+" d="(M[^"]+)"/g)].map((match) => match[1] ?? '')
  return texts.map((path) => {
    const numbers = [...path.matchAll(/-?\d+(?:\.\d+)?/g)].map(Number)
    return { xs: numbers.filter((_, index) => index % 2 === 0), ys: numbers.filter((_, index) => index % 2 === 1) }
  })
}

function face(sample: { readonly template: Parameters<typeof sampleFace>[1] }, card: Partial<SampleCard>): Face {
  return sampleFace(brand, sample.template, SampleCard.fromPartial(card))
}

describe('a preview', () => {
  it('has a front, a back and a lock screen, and a poster where the design has one', async () => {
    const sides = (await samples()).map(({ name, template, cards }) => [
      name,
      drawSides(face({ template }, cards[0] ?? {})).map(({ side }) => side),
    ])
    assert.deepEqual(Object.fromEntries(sides), {
      'store-card': ['front', 'back', 'lock_screen'],
      coupon: ['front', 'back', 'lock_screen'],
      membership: ['front', 'poster', 'back', 'lock_screen'],
    })
  })

  it(`keeps every text within the pass, however long names and balances are (seed ${seed})`, async () => {
    let state = seed
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((state / 2_147_483_648) * below)
    }
    const word = () => Array.from({ length: 1 + random(30) }, () => 'aWяЖ1 -ü'.charAt(random(8))).join('')
    const all = await samples()
    for (let round = 0; round < 60; round++) {
      const sample = all[random(all.length)]
      assert.ok(sample !== undefined)
      const details = { ...emptyDetails, points: BigInt(random(2 ** 31)) ** 2n, tier: word().slice(0, 40) }
      const locale = ['en', 'ru', 'de'][random(3)] ?? 'en'
      const name = Array.from({ length: 3 }, word).join(' ').slice(0, 100)
      const card = { name, locale, details, message: `${word()} {points} ${word()}` }
      for (const { side, drawing } of drawSides(face(sample, card))) {
        for (const { xs, ys } of outlines(drawing.svg)) {
          const spread = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
          const [left = 0, right = 0, top = 0, bottom = 0] = spread
          assert.ok(left >= 0 && right <= drawing.width, `${side}: ${left} to ${right} (${JSON.stringify(name)})`)
          assert.ok(top >= 0 && bottom <= drawing.height, `${side}: ${top} to ${bottom} (${JSON.stringify(name)})`)
        }
      }
    }
  })

  it('writes numbers and says "now" as the language does', async () => {
    const [storeCard] = await samples()
    assert.ok(storeCard !== undefined)
    const [english, russian] = storeCard.cards.map((card) =>
      drawSides(face(storeCard, card)).map(({ drawing }) => drawing),
    )
    for (const [index, side] of (english ?? []).entries()) assert.notEqual(side.svg, russian?.[index]?.svg)
  })

  it('leaves out the lock screen of a card whose change nobody hears of', async () => {
    const [storeCard] = await samples()
    assert.ok(storeCard !== undefined)
    const { template } = storeCard
    const primaryFields = template.primaryFields.map((item) => ({ ...item, changeMessage: '' }))
    const sides = drawSides(face({ template: { ...template, primaryFields } }, {}))
    assert.deepEqual(
      sides.map(({ side }) => side),
      ['front', 'back'],
    )
  })

  it('becomes a PNG of two pixels per point', async () => {
    const [sample] = await samples()
    assert.ok(sample !== undefined)
    const [front] = drawSides(face(sample, {}))
    assert.ok(front !== undefined)
    const png = await toPng(front.drawing)
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [750, 1_000])
  })
})

const emptyDetails = {
  tier: '',
  segment: '',
  channel: '',
  values: {},
  lifecycle: '',
  validUntil: undefined,
  points: 0n,
}

describe('a barcode of a preview', () => {
  const barcode = (format: PassBarcode['format'], message: string): PassBarcode => ({
    format,
    message,
    messageEncoding: 'iso-8859-1',
    altText: message,
  })

  it('is the first of the chain that can carry the message', () => {
    const chain = (message: string) => [barcode('PKBarcodeFormatEAN13', message), barcode('PKBarcodeFormatQR', message)]
    assert.equal(drawBarcode(chain('4006381333931'))?.width, 300)
    assert.equal(drawBarcode(chain('LETTERS'))?.width, 152)
  })

  it('is drawn in every format', () => {
    const formats = ['QR', 'Aztec', 'PDF417', 'Code128', 'Code39', 'I2of5'] as const
    for (const name of formats)
      assert.ok(drawBarcode([barcode(`PKBarcodeFormat${name}`, '12345678')]) !== undefined, name)
    assert.ok(drawBarcode([barcode('PKBarcodeFormatCodabar', 'A12345B')]) !== undefined)
    assert.equal(drawBarcode([]), undefined)
  })
})

describe('the text of a preview', () => {
  it('is broken between words, within a word that is too wide, and cut after the last line', () => {
    const lines = wrap('one two threeeeeeeeeeeeeeeeeeeeeeeeeee four', 80, style, 3)
    assert.equal(lines.length, 3)
    for (const line of lines) assert.ok(widthOf(line, style) <= 80.01, line)
    assert.match(lines[2] ?? '', /…$/)
    assert.deepEqual(wrap('a\nb', 80, style, 3), ['a', 'b'])
  })

  it('is never cut while it fits', () => {
    assert.equal(shorten('Баллы', widthOf('Баллы', style), style), 'Баллы')
    assert.match(shorten('Баллы', widthOf('Баллы', style) - 1, style), /…$/)
  })
})

describe('an image of a preview', () => {
  it('is that of the language, at the best resolution', async () => {
    const [sample] = await samples()
    const icon = sample?.template.images['icon.png'] ?? new Uint8Array()
    const sharp = sample?.template.images['icon@2x.png'] ?? new Uint8Array()
    const images = { 'ru.lproj/icon.png': icon, 'icon.png': icon, 'icon@2x.png': sharp }
    assert.deepEqual(pickImage(images, 'icon', 'ru-RU'), { png: icon, width: 38, height: 38 })
    assert.deepEqual(pickImage(images, 'icon', 'de'), { png: sharp, width: 38, height: 38 })
    assert.equal(pickImage(images, 'strip', 'de'), undefined)
  })
})
