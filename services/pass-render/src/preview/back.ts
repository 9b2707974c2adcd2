import type { PassField } from '@stampede/pkpass'
import { classicOf, type Face, PASS_WIDTH, SIDE } from './face.ts'
import { valueText } from './fields.ts'
import { type Drawing, drawing, rect } from './svg.ts'
import { drawText, shorten, type TextStyle, wrap } from './text.ts'

const PADDING = 14
const LINE = 20
const LABEL_LINE = 18
const HEAD = 56
/** Lines of one field; Wallet shows all of them, a picture has an end. */
const MAX_LINES = 24
const inner = PASS_WIDTH - 2 * SIDE - 2 * PADDING

const titleStyle: TextStyle = { size: 18, weight: 'Medium', colour: '#000000' }
const labelTextStyle: TextStyle = { size: 12, weight: 'Regular', colour: '#6b6b70' }
const valueTextStyle: TextStyle = { size: 15, weight: 'Regular', colour: '#000000' }
const linkStyle: TextStyle = { ...valueTextStyle, colour: '#0066cc' }

/** What a tap on the pass's dots shows. */
export function drawBack({ pass, locale }: Face): Drawing {
  const fields = classicOf(pass).fields.backFields ?? []
  const parts: string[] = []
  let y = HEAD + PADDING
  for (const [index, field] of fields.entries()) {
    if (index > 0) parts.push(rect({ x: SIDE + PADDING, y: y - PADDING / 2, width: inner, height: 0.5 }, '#d1d1d6'))
    const drawn = drawField(field, y, locale)
    parts.push(drawn.svg)
    y += drawn.height + PADDING
  }
  const height = Math.max(y, HEAD + 2 * PADDING) + SIDE
  const card = { x: SIDE, y: HEAD, width: PASS_WIDTH - 2 * SIDE, height: height - SIDE - HEAD }
  const title = shorten(pass.organizationName, PASS_WIDTH - 2 * SIDE, titleStyle)
  return drawing(PASS_WIDTH, height, [
    rect({ x: 0, y: 0, width: PASS_WIDTH, height }, '#f2f2f7', SIDE),
    drawText(title, { x: PASS_WIDTH / 2, y: 35, align: 'centre' }, titleStyle),
    rect(card, '#ffffff', 10),
    ...parts,
  ])
}

function drawField(field: PassField, top: number, locale: string): { readonly svg: string; readonly height: number } {
  const x = SIDE + PADDING
  const link = linkOf(field)
  const style = link === undefined ? valueTextStyle : linkStyle
  const lines = wrap(link ?? valueText(field, locale), inner, style, MAX_LINES)
  const hasLabel = field.label !== undefined && field.label !== ''
  const first = top + (hasLabel ? LABEL_LINE : 0) + LINE * 0.7
  const label = hasLabel
    ? drawText(shorten(field.label ?? '', inner, labelTextStyle), { x, y: top + 11 }, labelTextStyle)
    : ''
  const svg = lines.map((line, index) => drawText(line, { x, y: first + index * LINE }, style)).join('')
  return { svg: label + svg, height: (hasLabel ? LABEL_LINE : 0) + lines.length * LINE }
}

/** What a link says: the renderer's own are one anchor around escaped text. */
function linkOf({ attributedValue }: PassField): string | undefined {
  const text = /^<a href="[^"]*">([^<]*)<\/a>$/.exec(attributedValue ?? '')?.[1]
  return text?.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
