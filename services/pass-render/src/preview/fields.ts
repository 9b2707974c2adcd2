import type { PassField } from '@stampede/pkpass'
import { drawText, shorten, type TextStyle, widthOf } from './text.ts'

/** Colours of a pass, as SVG has them. */
export interface Colours {
  readonly background: string
  readonly foreground: string
  readonly label: string
}

/** Where a row of fields stands. */
export interface RowPlace {
  readonly x: number
  /** Top. */
  readonly y: number
  readonly width: number
}

const LABEL_SIZE = 11
const VALUE_SIZE = 18
const LEAST_VALUE_SIZE = 11
const SIZE_STEP = 0.5
const GAP = 12
/** Baselines below the top of a row. */
const [LABEL_BASELINE, VALUE_BASELINE] = [11, 31]
/** Height of a row of labels and values. */
export const ROW_HEIGHT = 46

/** The value as Wallet writes it: numbers by the locale. */
export function valueText({ value }: PassField, locale: string): string {
  return typeof value === 'number' ? new Intl.NumberFormat(locale).format(value) : value
}

/** Styles of labels. */
export function labelStyle({ label }: Colours): TextStyle {
  return { size: LABEL_SIZE, weight: 'Medium', colour: label }
}

/** Styles of values; other sizes for primary fields. */
export function valueStyle({ foreground }: Colours, size = VALUE_SIZE): TextStyle {
  return { size, weight: 'Regular', colour: foreground }
}

/** Fields side by side in the largest size at which all fit; below the least one the widest end in an ellipsis. */
export function drawRow(fields: readonly PassField[], place: RowPlace, colours: Colours, locale: string): string {
  if (fields.length === 0) return ''
  const columns = fields.map((field) => ({ label: field.label ?? '', value: valueText(field, locale) }))
  const room = place.width - GAP * (columns.length - 1)
  const size = rowSize(columns, room, colours)
  const widths = share(widthsOf(columns, colours, size), room)
  // What is left over is shared, so that columns stand as far apart as the row allows.
  const spare = (room - sum(widths)) / columns.length
  let x = place.x
  const parts: string[] = []
  for (const [index, column] of columns.entries()) {
    const width = (widths[index] ?? 0) + spare
    parts.push(drawColumn(column, { x, y: place.y, width }, colours, size))
    x += width + GAP
  }
  return parts.join('')
}

interface Column {
  readonly label: string
  readonly value: string
}

function rowSize(columns: readonly Column[], room: number, colours: Colours): number {
  for (let size = VALUE_SIZE; size > LEAST_VALUE_SIZE; size -= SIZE_STEP) {
    if (sum(widthsOf(columns, colours, size)) <= room) return size
  }
  return LEAST_VALUE_SIZE
}

function widthsOf(columns: readonly Column[], colours: Colours, size: number): readonly number[] {
  const [ofLabel, ofValue] = [labelStyle(colours), valueStyle(colours, size)]
  return columns.map(({ label, value }) => Math.max(widthOf(value, ofValue), widthOf(label, ofLabel)))
}

/** Room for each column: the narrow get what they need, the wide share the rest evenly. */
function share(natural: readonly number[], room: number): readonly number[] {
  const widths = [...natural]
  let [left, columns] = [room, natural.length]
  for (const { width, index } of natural.map((width, index) => ({ width, index })).sort((a, b) => a.width - b.width)) {
    const given = Math.min(width, left / columns)
    widths[index] = given
    left -= given
    columns--
  }
  return widths
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function drawColumn({ label, value }: Column, { x, y, width }: RowPlace, colours: Colours, size: number): string {
  const [ofLabel, ofValue] = [labelStyle(colours), valueStyle(colours, size)]
  return (
    drawText(shorten(label, width, ofLabel), { x, y: y + LABEL_BASELINE }, ofLabel) +
    drawText(shorten(value, width, ofValue), { x, y: y + VALUE_BASELINE }, ofValue)
  )
}

/** Fields at the right of the head, the first at the far right; returns where they begin. */
export function drawHeader(
  fields: readonly PassField[],
  { right, least }: { readonly right: number; readonly least: number },
  colours: Colours,
  locale: string,
): { readonly left: number; readonly svg: string } {
  const [label, value] = [labelStyle(colours), valueStyle(colours)]
  const parts: string[] = []
  let left = right
  for (const field of fields) {
    const room = left - least
    if (room < VALUE_SIZE) break
    const text = shorten(valueText(field, locale), room, value)
    const title = shorten(field.label ?? '', room, label)
    parts.push(drawText(title, { x: left, y: 24, align: 'right' }, label))
    parts.push(drawText(text, { x: left, y: 45, align: 'right' }, value))
    left -= Math.max(widthOf(text, value), widthOf(title, label)) + GAP
  }
  return { left, svg: parts.join('') }
}
