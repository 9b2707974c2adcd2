import type { PassJson } from '@stampede/pkpass'
import { classicOf, type Face, PASS_WIDTH } from './face.ts'
import { valueText } from './fields.ts'
import { pickImage } from './images.ts'
import { type Drawing, drawing, image, rect } from './svg.ts'
import { drawText, shorten, type TextStyle, widthOf, wrap } from './text.ts'

const SIDE = 8
const PADDING = 14
const ICON = 38
const LINE = 19
/** Lines before the phone cuts a text off. */
const MAX_LINES = 4
const GAP = 12
const textLeft = SIDE + PADDING + ICON + GAP
const textWidth = PASS_WIDTH - SIDE - PADDING - textLeft

const titleStyle: TextStyle = { size: 15, weight: 'Medium', colour: '#000000' }
const bodyStyle: TextStyle = { size: 15, weight: 'Regular', colour: '#000000' }
const timeStyle: TextStyle = { size: 13, weight: 'Regular', colour: '#5c5c60' }

/** The banner of an update that changes the announced field; undefined when no field's change is announced. */
export function drawLockScreen(face: Face): Drawing | undefined {
  const text = announcement(face.pass, face.locale)
  if (text === undefined) return undefined
  const lines = wrap(text, textWidth, bodyStyle, MAX_LINES)
  const height = Math.max(ICON, LINE * (lines.length + 1)) + 2 * PADDING
  const now = new Intl.RelativeTimeFormat(face.locale, { numeric: 'auto' }).format(0, 'second')
  const title = shorten(face.pass.organizationName, textWidth - widthOf(now, timeStyle) - GAP, titleStyle)
  const icon = pickImage(face.images, 'icon', face.locale)
  const right = PASS_WIDTH - SIDE - PADDING
  const iconBox = { x: SIDE + PADDING, y: SIDE + (height - ICON) / 2, width: ICON, height: ICON }
  return drawing(PASS_WIDTH, height + 2 * SIDE, [
    rect({ x: 0, y: 0, width: PASS_WIDTH, height: height + 2 * SIDE }, '#5b6b82', 12),
    rect({ x: SIDE, y: SIDE, width: PASS_WIDTH - 2 * SIDE, height }, '#f5f5f7', 18),
    icon === undefined ? '' : image(icon.png, iconBox, 'middle'),
    drawText(title, { x: textLeft, y: SIDE + PADDING + 13 }, titleStyle),
    drawText(now, { x: right, y: SIDE + PADDING + 13, align: 'right' }, timeStyle),
    ...lines.map((line, index) =>
      drawText(line, { x: textLeft, y: SIDE + PADDING + 13 + LINE * (index + 1) }, bodyStyle),
    ),
  ])
}

/** The message if the card has one, else the first field that is announced and shows something. */
function announcement(pass: PassJson, locale: string): string | undefined {
  const { fields } = classicOf(pass)
  const { headerFields = [], primaryFields = [], secondaryFields = [], auxiliaryFields = [], backFields = [] } = fields
  const announced = [...backFields, ...headerFields, ...primaryFields, ...secondaryFields, ...auxiliaryFields].filter(
    (field) => field.changeMessage !== undefined && field.value !== '',
  )
  const field = announced.find(({ changeMessage }) => changeMessage === '%@') ?? announced[0]
  return field?.changeMessage?.replaceAll('%@', valueText(field, locale))
}
