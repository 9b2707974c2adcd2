import type { Context } from '../context.ts'
import { type Answer, missing } from './answer.ts'

/** Largest first: Google wants a large logo. */
const logoFiles = ['logo@3x.png', 'logo@2x.png', 'logo.png', 'icon@3x.png', 'icon@2x.png', 'icon.png']
/** A version's images never change. */
const CACHE_SECONDS = 30 * 24 * 3_600
const MAX_VERSION_DIGITS = 9

/** GET of a design's logo, for Google, which fetches images by itself. Public, as the card's face is. */
export async function getLogo(context: Context, brand: string, templateId: string, version: string): Promise<Answer> {
  if (!/^[1-9]\d*$/.test(version) || version.length > MAX_VERSION_DIGITS) return missing
  if (context.brands.get(brand) === undefined) return missing
  const ready = await context.designs.get(brand, templateId, Number(version))
  const file = logoFiles.find((name) => ready?.template.images[name] !== undefined)
  const image = file === undefined ? undefined : ready?.template.images[file]
  if (image === undefined) return missing
  const headers = { 'Content-Type': 'image/png', 'Cache-Control': `public, max-age=${CACHE_SECONDS}, immutable` }
  return { status: 200, headers, body: [image] }
}
