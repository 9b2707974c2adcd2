import { createCanvas, loadImage } from '@napi-rs/canvas'
import type { Drawing } from './svg.ts'

/** Pixels per point: as sharp as most phones. */
const SCALE = 2

/** The drawing as PNG, two pixels per point; encoded off the event loop. */
export async function toPng({ svg, width, height }: Drawing): Promise<Buffer> {
  const picture = await loadImage(Buffer.from(svg))
  const canvas = createCanvas(Math.ceil(width * SCALE), Math.ceil(height * SCALE))
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height)
  return await canvas.encode('png')
}
