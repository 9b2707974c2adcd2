import { drawBack } from './back.ts'
import type { Face } from './face.ts'
import { drawFront } from './front.ts'
import { drawLockScreen } from './lock-screen.ts'
import { drawPoster } from './poster.ts'
import type { Drawing } from './svg.ts'

/** Sides of a pass that can be looked at. */
export type Side = 'front' | 'poster' | 'back' | 'lock_screen'

/** A drawn side. */
export interface DrawnSide {
  readonly side: Side
  readonly drawing: Drawing
}

/** Draws what a phone shows; sides that the pass does not have are left out. Takes some milliseconds of CPU. */
export function drawSides(face: Face): readonly DrawnSide[] {
  const sides: readonly [Side, Drawing | undefined][] = [
    ['front', drawFront(face)],
    ['poster', drawPoster(face)],
    ['back', drawBack(face)],
    ['lock_screen', drawLockScreen(face)],
  ]
  return sides.flatMap(([side, drawing]) => (drawing === undefined ? [] : [{ side, drawing }]))
}
