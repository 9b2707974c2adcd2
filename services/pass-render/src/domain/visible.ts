import { createHash } from 'node:crypto'
import { Sealed } from '@stampede/proto/events/v1'
import type { BrandView, CardState } from './card.ts'
import type { Design } from './design.ts'
import { passJson } from './pass-content.ts'

/**
 * Digest of what a phone would show for a state. Two states with one digest look the same, so that going from one to
 * the other wakes no phone. The name counts by its sealed bytes: nobody needs a key to compare. Messages count by
 * their campaign's sequence, not here.
 */
export function visibleDigest(design: Design | undefined, brand: BrandView, state: CardState): string {
  // Without a design nothing can be shown yet.
  if (design === undefined) return ''
  const name = design.usesName && state.member.status === 'active' ? nameMark(state) : ''
  const content = passJson({ design, brand, state, serial: '', shown: { name, message: '' }, allowsNfc: true })
  return createHash('sha256').update(JSON.stringify(content)).digest('base64')
}

function nameMark(state: CardState): string {
  const sealed = state.member.sealedName
  return sealed === undefined ? '' : Buffer.from(Sealed.encode(sealed).finish()).toString('base64')
}
