// Draws docs/previews: node services/pass-render/src/preview/testing/draw-docs.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { sampleFace } from '../../rpc/preview-template.ts'
import { testBrand } from '../../testing/fixture.ts'
import { toPng } from '../png.ts'
import { drawSides } from '../preview.ts'
import { samples } from './samples.ts'

const folder = new URL('../../../../../docs/previews/', import.meta.url)
const GAP = 16
/** Of the size that previews have. */
const SCALE = 0.6

mkdirSync(folder, { recursive: true })
const brand = {
  ...testBrand('nordmart'),
  name: 'Nordmart',
  contact: 'help@nordmart.example, +44 20 7946 0000',
  currency: 'EUR',
}
for (const { name, template, cards } of await samples()) {
  for (const card of cards) {
    const sides = drawSides(sampleFace(brand, template, card))
    const pictures = await Promise.all(sides.map(async ({ drawing }) => await loadImage(await toPng(drawing))))
    const width = pictures.reduce((sum, picture) => sum + picture.width * SCALE + GAP, GAP)
    const height = Math.max(...pictures.map((picture) => picture.height)) * SCALE + 2 * GAP
    const canvas = createCanvas(width, height)
    const context = canvas.getContext('2d')
    context.fillStyle = '#e5e5ea'
    context.fillRect(0, 0, width, height)
    let x = GAP
    for (const picture of pictures) {
      context.drawImage(picture, x, GAP, picture.width * SCALE, picture.height * SCALE)
      x += picture.width * SCALE + GAP
    }
    writeFileSync(new URL(`${name}-${card.locale}.png`, folder), await canvas.encode('png'))
  }
}
