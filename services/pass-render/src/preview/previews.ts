import { unavailable } from '@stampede/platform'
import type { Face } from './face.ts'
import { toPng } from './png.ts'
import { type DrawnSide, drawSides } from './preview.ts'

/** Previews that wait at most: they are drawn one at a time, so that phones hardly notice them. */
const MAX_WAITING = 16

/** A drawn side, also as PNG. */
export interface RenderedSide extends DrawnSide {
  readonly png: Buffer
}

/** Draws previews one after the other. */
export class Previews {
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  /** Draws all sides. UNAVAILABLE when too many wait. */
  async draw(face: Face): Promise<readonly RenderedSide[]> {
    if (this.#waiting >= MAX_WAITING) throw unavailable('too many previews wait to be drawn')
    this.#waiting++
    const turn = this.#last.then(() => render(face)).finally(() => this.#waiting--)
    this.#last = turn.catch(() => undefined)
    return await turn
  }
}

async function render(face: Face): Promise<readonly RenderedSide[]> {
  const rendered: RenderedSide[] = []
  for (const side of drawSides(face)) rendered.push({ ...side, png: await toPng(side.drawing) })
  return rendered
}
