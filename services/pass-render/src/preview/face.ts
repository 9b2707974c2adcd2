import type { PassFields, PassJson } from '@stampede/pkpass'
import { type Colours, drawHeader } from './fields.ts'
import { type PickedImage, pickImage } from './images.ts'
import { image } from './svg.ts'
import { drawText, shorten, type TextStyle } from './text.ts'

/** Width of a pass, in points: that of the strip. */
export const PASS_WIDTH = 375
/** Height of a pass, in points; Wallet's depends on the phone. */
export const PASS_HEIGHT = 500
/** Room at the sides. */
export const SIDE = 16
/** Height of the head with logo, name and header fields. */
export const HEAD_HEIGHT = 62
/** Corners. */
export const RADIUS = 14

const logoBox = { width: 160, height: 50 }
const LOGO_TEXT_GAP = 10
/** A logo or logo text never takes the room of all header fields. */
const LEAST_LEFT = 120

/** What a face is drawn from. */
export interface Face {
  readonly pass: PassJson
  readonly images: Readonly<Record<string, Uint8Array>>
  /** BCP-47. */
  readonly locale: string
}

/** The colours of a pass; Wallet's own where it says none. */
export function coloursOf({ pass }: Face): Colours {
  return {
    background: pass.backgroundColor ?? '#ffffff',
    foreground: pass.foregroundColor ?? '#000000',
    label: pass.labelColor ?? pass.foregroundColor ?? '#000000',
  }
}

/** The classic style of a pass and its fields. */
export function classicOf(pass: PassJson): { readonly style: ClassicStyle; readonly fields: PassFields } {
  for (const style of classicStyles) {
    const fields = pass[style]
    if (fields !== undefined) return { style, fields }
  }
  return { style: 'generic', fields: {} }
}

const classicStyles = ['storeCard', 'coupon', 'eventTicket', 'generic'] as const
export type ClassicStyle = (typeof classicStyles)[number]

/** Logo, logo text and header fields. */
export function drawHead(face: Face, fields: PassFields, logoNames: readonly string[]): string {
  const { pass, images, locale } = face
  const colours = coloursOf(face)
  const header = drawHeader(fields.headerFields ?? [], { right: PASS_WIDTH - SIDE, least: LEAST_LEFT }, colours, locale)
  const parts = [header.svg]
  let x = SIDE
  const logo = firstImage(images, logoNames, locale)
  if (logo !== undefined) {
    const scale = Math.min(1, logoBox.width / logo.width, logoBox.height / logo.height, (header.left - x) / logo.width)
    const [width, height] = [logo.width * scale, logo.height * scale]
    parts.push(image(logo.png, { x, y: (HEAD_HEIGHT - height) / 2, width, height }, 'left'))
    x += width + LOGO_TEXT_GAP
  }
  const style: TextStyle = { size: 18, weight: 'Medium', colour: colours.foreground }
  const text = shorten(pass.logoText ?? '', Math.max(0, header.left - x), style)
  if (pass.logoText !== undefined) parts.push(drawText(text, { x, y: HEAD_HEIGHT / 2 + 6 }, style))
  return parts.join('')
}

function firstImage(images: Face['images'], names: readonly string[], locale: string): PickedImage | undefined {
  return names.map((name) => pickImage(images, name, locale)).find((item) => item !== undefined)
}
