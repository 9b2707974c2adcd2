import type { PassField, PassFields } from '@stampede/pkpass'
import { drawBarcode } from './barcode.ts'
import {
  type ClassicStyle,
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
import { type Colours, drawRow, labelStyle, ROW_HEIGHT, valueStyle, valueText } from './fields.ts'
import { pickImage } from './images.ts'
import { clipped, type Drawing, drawing, image, rect } from './svg.ts'
import { drawText, fit, shorten, wrap } from './text.ts'

const STRIP_HEIGHT = 123
const COUPON_STRIP_HEIGHT = 144
const THUMBNAIL = 90
const GAP = 14
/** Fields of one row beneath a strip. */
const MAX_ROW_FIELDS = 4
/** Distance of a coupon's teeth. */
const TOOTH = 15
const inner = PASS_WIDTH - 2 * SIDE

/** The front as Wallet draws the classic style. */
export function drawFront(face: Face): Drawing {
  const { style, fields } = classicOf(face.pass)
  const hasStrip = hasStripArea(style) || (style === 'eventTicket' && hasImage(face, 'strip'))
  const body = hasStrip ? stripBody(face, style, fields) : thumbnailBody(face, fields)
  const outline = style === 'coupon' ? couponOutline() : rect(whole, '#000000', RADIUS)
  const parts = [backdrop(face, style), drawHead(face, fields, ['logo']), body, barcode(face)]
  return drawing(PASS_WIDTH, PASS_HEIGHT, [clipped(outline, parts)])
}

const whole = { x: 0, y: 0, width: PASS_WIDTH, height: PASS_HEIGHT }

/** Styles whose primary field lies over a strip, be there a picture or not. */
function hasStripArea(style: ClassicStyle): boolean {
  return style === 'storeCard' || style === 'coupon'
}

function hasImage({ images, locale }: Face, name: string): boolean {
  return pickImage(images, name, locale) !== undefined
}

function backdrop(face: Face, style: ClassicStyle): string {
  const ground = rect(whole, coloursOf(face).background)
  const picture = style === 'eventTicket' ? pickImage(face.images, 'background', face.locale) : undefined
  return picture === undefined ? ground : ground + image(picture.png, whole, 'cover')
}

function stripBody(face: Face, style: ClassicStyle, fields: PassFields): string {
  const colours = coloursOf(face)
  const height = style === 'coupon' ? COUPON_STRIP_HEIGHT : STRIP_HEIGHT
  const strip = pickImage(face.images, 'strip', face.locale)
  const parts: string[] = []
  if (strip !== undefined) parts.push(image(strip.png, { x: 0, y: HEAD_HEIGHT, width: PASS_WIDTH, height }, 'cover'))
  const [primary] = fields.primaryFields ?? []
  if (primary !== undefined) parts.push(overlay(primary, HEAD_HEIGHT + height / 2, colours, face.locale))
  const y = HEAD_HEIGHT + height + GAP
  const row = [...(fields.secondaryFields ?? []), ...(fields.auxiliaryFields ?? [])]
  if (style !== 'eventTicket') {
    parts.push(drawRow(row.slice(0, MAX_ROW_FIELDS), { x: SIDE, y, width: inner }, colours, face.locale))
    return parts.join('')
  }
  return parts.join('') + rows(face, fields, y)
}

/** The primary field over the strip: the value, and its label beneath. */
function overlay(field: PassField, middle: number, colours: Colours, locale: string): string {
  const text = valueText(field, locale)
  const style = fit(text, inner, valueStyle(colours, 46), 20)
  const label = { ...labelStyle(colours), size: 14, colour: colours.foreground }
  return (
    drawText(shorten(text, inner, style), { x: SIDE, y: middle + style.size / 3 }, style) +
    drawText(shorten(field.label ?? '', inner, label), { x: SIDE, y: middle + style.size / 3 + 22 }, label)
  )
}

/** Generic passes, and event tickets without a strip: the primary field beside a picture. */
function thumbnailBody(face: Face, fields: PassFields): string {
  const colours = coloursOf(face)
  const thumbnail = pickImage(face.images, 'thumbnail', face.locale)
  const parts: string[] = []
  const y = HEAD_HEIGHT + GAP
  if (thumbnail !== undefined) {
    const box = { x: PASS_WIDTH - SIDE - THUMBNAIL, y, width: THUMBNAIL, height: THUMBNAIL }
    parts.push(image(thumbnail.png, box, 'middle'))
  }
  const width = inner - (thumbnail === undefined ? 0 : THUMBNAIL + GAP)
  const [primary] = fields.primaryFields ?? []
  if (primary !== undefined) parts.push(headline(primary, { y, width }, colours, face.locale))
  return parts.join('') + rows(face, fields, y + THUMBNAIL + GAP)
}

function headline(
  field: PassField,
  { y, width }: { readonly y: number; readonly width: number },
  colours: Colours,
  locale: string,
): string {
  const style = valueStyle(colours, 27)
  const lines = wrap(valueText(field, locale), width, style, 2)
  const label = drawText(
    shorten(field.label ?? '', width, labelStyle(colours)),
    { x: SIDE, y: y + 11 },
    labelStyle(colours),
  )
  return label + lines.map((line, index) => drawText(line, { x: SIDE, y: y + 40 + index * 31 }, style)).join('')
}

/** Secondary and auxiliary fields, a row each. */
function rows(face: Face, fields: PassFields, y: number): string {
  const colours = coloursOf(face)
  return [fields.secondaryFields ?? [], fields.auxiliaryFields ?? []]
    .filter((row) => row.length > 0)
    .map((row, index) => {
      const place = { x: SIDE, y: y + index * (ROW_HEIGHT + 4), width: inner }
      return drawRow(row.slice(0, MAX_ROW_FIELDS), place, colours, face.locale)
    })
    .join('')
}

function barcode({ pass }: Face): string {
  const code = drawBarcode(pass.barcodes ?? [])
  return code === undefined ? '' : code.draw((PASS_WIDTH - code.width) / 2, PASS_HEIGHT - SIDE - code.height)
}

/** A coupon's upper and lower edges are perforated. */
function couponOutline(): string {
  const teeth = PASS_WIDTH / TOOTH
  const step = `a${TOOTH / 3} ${TOOTH / 3} 0 0 0 ${(TOOTH * 2) / 3} 0h${TOOTH / 3}`
  const back = `a${TOOTH / 3} ${TOOTH / 3} 0 0 0 -${(TOOTH * 2) / 3} 0h-${TOOTH / 3}`
  return `<path d="M0 0${step.repeat(teeth)}V${PASS_HEIGHT}${back.repeat(teeth)}Z"/>`
}
