import { createHash } from 'node:crypto'
import { PkpassError } from './errors.ts'
import { type PackedFiles, packFiles } from './zip.ts'

/** Largest image, in bytes. */
export const MAX_IMAGE_BYTES = 512 * 1024
/** Largest sum of a design's images, in bytes: each update of each card carries them all. */
export const MAX_IMAGES_BYTES = 1024 * 1024
/** Most images of one design, languages included. */
export const MAX_IMAGES = 60
/** Largest side of an image, in pixels (strip@3x is 1125 wide). */
export const MAX_IMAGE_PIXELS = 2_048

const namePattern =
  /^(?:[a-z]{2,3}(?:-[A-Za-z]{2,4})?\.lproj\/)?(?:icon|logo|strip|thumbnail|background|footer)(?:@[23]x)?\.png$/
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** A design's images, checked, hashed and packed once; a pass only adds what is its own. */
export interface PreparedImages {
  /** Lowercase hex SHA-1 by file name. */
  readonly digests: ReadonlyMap<string, string>
  readonly packed: PackedFiles
}

/** Checks and packs the images of a design; throws PkpassError INVALID_IMAGE or TOO_LARGE naming the file. */
export function prepareImages(images: Readonly<Record<string, Uint8Array>>): PreparedImages {
  const names = Object.keys(images).sort()
  if (names.length > MAX_IMAGES) throw new PkpassError('TOO_LARGE', 'images', `holds more than ${MAX_IMAGES} files`)
  if (!names.includes('icon.png')) throw new PkpassError('INVALID_IMAGE', 'icon.png', 'is demanded by every pass')
  const files: Record<string, Uint8Array> = {}
  const digests = new Map<string, string>()
  let total = 0
  for (const name of names) {
    const bytes = images[name]
    if (bytes === undefined) continue
    checkImage(name, bytes)
    total += bytes.length
    files[name] = bytes
    digests.set(name, createHash('sha1').update(bytes).digest('hex'))
  }
  if (total > MAX_IMAGES_BYTES) throw new PkpassError('TOO_LARGE', 'images', `has more than ${MAX_IMAGES_BYTES} bytes`)
  return { digests, packed: packFiles(files, true) }
}

function checkImage(name: string, bytes: Uint8Array): void {
  if (!namePattern.test(name)) throw new PkpassError('INVALID_IMAGE', name, 'is not a file name that Wallet draws')
  if (bytes.length > MAX_IMAGE_BYTES) throw new PkpassError('TOO_LARGE', name, `has more than ${MAX_IMAGE_BYTES} bytes`)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (
    buffer.length < 33 ||
    !buffer.subarray(0, 8).equals(pngSignature) ||
    buffer.toString('latin1', 12, 16) !== 'IHDR'
  ) {
    throw new PkpassError('INVALID_IMAGE', name, 'is not a PNG')
  }
  const [width, height] = [buffer.readUInt32BE(16), buffer.readUInt32BE(20)]
  if (width < 1 || height < 1 || width > MAX_IMAGE_PIXELS || height > MAX_IMAGE_PIXELS) {
    throw new PkpassError('INVALID_IMAGE', name, `must be 1 to ${MAX_IMAGE_PIXELS} pixels wide and high`)
  }
}
