import type { PassField, PassFields } from '@stampede/pkpass'
import { drawBarcode } from './barcode.ts'
import {
  classicOf,
  coloursOf,
  drawHead,
  type Face,
  HEAD_HEIGHT,
  PASS_HEIGHT,
  PASS_WIDTH,
  RADIUS,
  SIDE,
} from './face.ts'
import { drawRow, ROW_HEIGHT } from './fields.ts'
import { pickImage } from './images.ts'
import { clipped, type Drawing, drawing, image, rect } from './svg.ts'

/** Fields of a poster's face. */
const MAX_FIELDS = 4
const PER_ROW = 2
const GAP = 10
const inner = PASS_WIDTH - 2 * SIDE
const whole = { x: 0, y: 0, width: PASS_WIDTH, height: PASS_HEIGHT }

/**
 * The poster that newer systems show instead of the classic front: a picture over all of it, fields and barcode at its
 * foot. Undefined when the pass has none.
 */
export function drawPoster(face: Face): Drawing | undefined {
  const poster = posterFields(face)
  if (poster === undefined) return undefined
  const colours = coloursOf(face)
  const picture = pickImage(face.images, 'artwork', face.locale) ?? pickImage(face.images, 'background', face.locale)
  // Tickets of the poster design carry no barcode (they are read without contact).
  const code = face.pass.posterGeneric === undefined ? undefined : drawBarcode(face.pass.barcodes ?? [])
  const rows = rowsOf(poster.primaryFields ?? [])
  const rowsAndCodeHeight = rows.length * ROW_HEIGHT + (code === undefined ? 0 : code.height + GAP) + SIDE
  const top = PASS_HEIGHT - rowsAndCodeHeight
  const parts = [
    rect(whole, colours.background),
    picture === undefined ? '' : image(picture.png, whole, 'cover'),
    shade(top - HEAD_HEIGHT, colours.background),
    drawHead(face, poster, ['primaryLogo', 'logo']),
    ...rows.map((row, index) =>
      drawRow(row, { x: SIDE, y: top + index * ROW_HEIGHT, width: inner }, colours, face.locale),
    ),
    code?.draw((PASS_WIDTH - code.width) / 2, PASS_HEIGHT - SIDE - code.height) ?? '',
  ]
  return drawing(PASS_WIDTH, PASS_HEIGHT, [clipped(rect(whole, '#000000', RADIUS), parts)])
}

function posterFields({ pass }: Face): PassFields | undefined {
  if (pass.posterGeneric !== undefined) return pass.posterGeneric
  if (pass.preferredStyleSchemes?.includes('posterEventTicket') !== true) return undefined
  const { headerFields = [], primaryFields = [], secondaryFields = [], auxiliaryFields = [] } = classicOf(pass).fields
  const face = [...primaryFields, ...secondaryFields, ...auxiliaryFields].slice(0, MAX_FIELDS)
  return { headerFields: headerFields.slice(0, 1), primaryFields: face }
}

function rowsOf(fields: readonly PassField[]): readonly (readonly PassField[])[] {
  const rows = Math.ceil(fields.length / PER_ROW)
  return Array.from({ length: rows }, (_, row) => fields.slice(row * PER_ROW, (row + 1) * PER_ROW))
}

/** From the picture to the background's colour, so that fields can be read on it. */
function shade(top: number, colour: string): string {
  const stops = `<stop offset="0" stop-color="${colour}" stop-opacity="0"/><stop offset="0.3" stop-color="${colour}" stop-opacity="0.85"/><stop offset="1" stop-color="${colour}"/>`
  const gradient = `<linearGradient id="shade" x1="0" y1="0" x2="0" y2="1">${stops}</linearGradient>`
  return gradient + rect({ x: 0, y: top, width: PASS_WIDTH, height: PASS_HEIGHT - top }, 'url(#shade)')
}
