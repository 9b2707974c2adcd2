import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import opentype, { type Font } from 'opentype.js'

/** How a text is drawn; sizes in points. */
export interface TextStyle {
  readonly size: number
  readonly weight: Weight
  /** As SVG has it: `rgb(1, 2, 3)` or `#rrggbb`. */
  readonly colour: string
}

/** Where a text stands: its left end, middle or right end at `x`, its baseline at `y`. */
export interface TextPlace {
  readonly x: number
  readonly y: number
  readonly align?: 'left' | 'centre' | 'right'
}

const files = { Regular: 'Roboto-Regular.woff', Medium: 'Roboto-Medium.woff' } as const
type Weight = keyof typeof files

const require = createRequire(import.meta.url)
const fonts = new Map<Weight, Font>()
const ELLIPSIS = '…'
/** Widths are sums of rounded parts: so much more still fits. */
const TOLERANCE = 0.01

// Roboto has Latin, Greek and Cyrillic; other scripts are drawn as boxes.
function fontOf(weight: Weight): Font {
  const known = fonts.get(weight)
  if (known !== undefined) return known
  const bytes = readFileSync(require.resolve(`roboto-fontface/fonts/roboto/${files[weight]}`))
  const font = opentype.parse(Uint8Array.from(bytes).buffer)
  fonts.set(weight, font)
  return font
}

/** Width of a text in points. */
export function widthOf(text: string, { weight, size }: TextStyle): number {
  return fontOf(weight).getAdvanceWidth(text, size)
}

/** A text as the outlines of its letters: it looks the same wherever the SVG is shown. */
export function drawText(text: string, place: TextPlace, style: TextStyle): string {
  const width = place.align === undefined || place.align === 'left' ? 0 : widthOf(text, style)
  const x = place.x - (place.align === 'right' ? width : width / 2)
  const outlines = fontOf(style.weight).getPath(text, x, place.y, style.size).toPathData(2)
  return outlines === '' ? '' : `<path fill="${style.colour}" d="${outlines}"/>`
}

/** The text, or as much of it as fits, with an ellipsis. */
export function shorten(text: string, maxWidth: number, style: TextStyle): string {
  if (widthOf(text, style) <= maxWidth + TOLERANCE) return text
  const letters = [...text]
  while (letters.length > 0 && widthOf(letters.join('').trimEnd() + ELLIPSIS, style) > maxWidth) letters.pop()
  return letters.join('').trimEnd() + ELLIPSIS
}

/** The style at the largest size, down to `leastSize`, at which the text fits. */
export function fit(text: string, maxWidth: number, style: TextStyle, leastSize: number): TextStyle {
  const width = widthOf(text, style)
  if (width <= maxWidth) return style
  return { ...style, size: Math.max(leastSize, (style.size * maxWidth) / width) }
}

/** The text in lines; what does not fit into so many ends with an ellipsis, a word wider than a line is broken. */
export function wrap(text: string, maxWidth: number, style: TextStyle, maxLines: number): readonly string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) lines.push(...wrapParagraph(paragraph, maxWidth, style))
  if (lines.length <= maxLines) return lines
  const last = `${lines[maxLines - 1] ?? ''}${ELLIPSIS}`
  return [...lines.slice(0, maxLines - 1), shorten(last, maxWidth, style)]
}

function wrapParagraph(paragraph: string, maxWidth: number, style: TextStyle): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(/[ \t]+/)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (widthOf(longer, style) <= maxWidth) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = breakWord(word, maxWidth, style)
    lines.push(...pieces.slice(0, -1))
    line = pieces.at(-1) ?? ''
  }
  return [...lines, line]
}

function breakWord(word: string, maxWidth: number, style: TextStyle): readonly string[] {
  const pieces: string[] = []
  let piece = ''
  for (const letter of word) {
    if (piece !== '' && widthOf(piece + letter, style) > maxWidth) {
      pieces.push(piece)
      piece = ''
    }
    piece += letter
  }
  return [...pieces, piece]
}
