/** A rectangle in points. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A drawn picture; sizes in points. */
export interface Drawing {
  readonly width: number
  readonly height: number
  /** A whole SVG document: letters are outlines, images are inside. */
  readonly svg: string
}

/** A filled rectangle. */
export function rect({ x, y, width, height }: Box, fill: string, radius = 0): string {
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${n(radius)}" fill="${fill}"/>`
}

/** A PNG: fitted in at the left, in the middle, or cut so that it covers the box. */
export function image(png: Uint8Array, { x, y, width, height }: Box, fit: 'left' | 'middle' | 'cover'): string {
  const ratio = { left: 'xMinYMid meet', middle: 'xMidYMid meet', cover: 'xMidYMid slice' }[fit]
  const data = Buffer.from(png).toString('base64')
  const place = `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`
  return `<image ${place} preserveAspectRatio="${ratio}" href="data:image/png;base64,${data}"/>`
}

/** Parts that are drawn within an outline only. A document may have one: its name is not given. */
export function clipped(outline: string, parts: readonly string[]): string {
  return `<clipPath id="outline">${outline}</clipPath><g clip-path="url(#outline)">${parts.join('')}</g>`
}

/** The whole document. */
export function drawing(width: number, height: number, parts: readonly string[]): Drawing {
  const size = `width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}"`
  return { width, height, svg: `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${parts.join('')}</svg>` }
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100)
}
