import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { PkpassError } from './errors.ts'
import { type PackedFiles, packFiles, zipFile } from './zip.ts'

/** Largest image, in bytes. */
export const MAX_IMAGE_BYTES = 512 * 1024
/** Largest sum of a design's images, in bytes: each update of each card carries them all. */
export const MAX_IMAGES_BYTES = 1024 * 1024
/** Most images of one design, languages included. */
export const MAX_IMAGES = 60

/** Largest sizes at @1x, in points, and the images that Wallet knows. */
const largestPoints = {
  icon: [38, 38],
  logo: [160, 50],
  primaryLogo: [126, 30],
  secondaryLogo: [135, 12],
  strip: [375, 144],
  thumbnail: [90, 90],
  background: [345, 505],
  artwork: [358, 448],
  footer: [286, 15],
} as const
/** Least icon, in points: what Wallet took before it grew to 38. */
const LEAST_ICON_POINTS = 29
const namePattern = new RegExp(
  `^(?:([a-z]{2,3}(?:-[A-Za-z]{2,4})?)\\.lproj/)?(${Object.keys(largestPoints).join('|')})(?:@([23])x)?\\.png$`,
)
const localePattern = /^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$/
/** Most texts of one language. */
export const MAX_LANGUAGE_TEXTS = 500
/** Most languages of one pass. */
export const MAX_LANGUAGES = 40
/** Longest text of a language, in characters. */
const MAX_LANGUAGE_TEXT_CHARS = 2_000
/** Signature, IHDR and IEND. */
const LEAST_PNG_BYTES = 45
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** What a pass shows in a language: the text as pass.json has it -> the text of the language. */
export type Texts = Readonly<Record<string, string>>

/** A design's images and languages, checked, hashed and packed once; a pass only adds what is its own. */
export interface PreparedAssets {
  /** Lowercase hex SHA-1 by file name. */
  readonly digests: ReadonlyMap<string, string>
  readonly packed: PackedFiles
}

/**
 * Checks and packs the images and languages of a design: images by Wallet's file names (`icon.png`, `ru.lproj/logo@2x.png`),
 * texts by language (`ru`, `pt-BR`), which become `<language>.lproj/pass.strings`. Throws PkpassError INVALID_IMAGE,
 * INVALID_PASS (a language) or TOO_LARGE naming the file.
 */
export function prepareAssets(
  images: Readonly<Record<string, Uint8Array>>,
  languages: Readonly<Record<string, Texts>> = {},
): PreparedAssets {
  const names = Object.keys(images).sort()
  if (names.length > MAX_IMAGES) throw new PkpassError('TOO_LARGE', 'images', `holds more than ${MAX_IMAGES} files`)
  if (!names.includes('icon.png')) throw new PkpassError('INVALID_IMAGE', 'icon.png', 'is demanded by every pass')
  for (const name of names) checkImage(name, images[name] ?? new Uint8Array())
  checkLanguageImages(names)
  const all = [...names.map((name) => [name, images[name] ?? new Uint8Array()] as const), ...stringsFiles(languages)]
  const total = all.reduce((sum, [, bytes]) => sum + bytes.length, 0)
  if (total > MAX_IMAGES_BYTES) throw new PkpassError('TOO_LARGE', 'images', `has more than ${MAX_IMAGES_BYTES} bytes`)
  const digests = new Map(all.map(([name, bytes]) => [name, createHash('sha1').update(bytes).digest('hex')] as const))
  const files = all.map(([name, bytes]) => zipFile(name, bytes, name.endsWith('.strings') ? 'deflate' : 'store'))
  return { digests, packed: packFiles(files) }
}

// An image of the root hides the ones of the languages, and a language that lacks a resolution shows nothing at it.
function checkLanguageImages(names: readonly string[]): void {
  const byLanguage = new Map<string, Set<string>>()
  for (const name of names) {
    const [folder = '', file] = name.split('/')
    if (file === undefined) continue
    if (names.includes(file)) throw new PkpassError('INVALID_IMAGE', name, `is hidden by ${file} of the root`)
    byLanguage.set(folder, (byLanguage.get(folder) ?? new Set()).add(file))
  }
  const [first, ...others] = byLanguage
  for (const [folder, files] of others) {
    const missing = [...(first?.[1] ?? [])].find((file) => !files.has(file))
    const extra = [...files].find((file) => first?.[1].has(file) !== true)
    if (missing !== undefined)
      throw new PkpassError('INVALID_IMAGE', `${folder}/${missing}`, 'is missing in this language')
    if (extra !== undefined) throw new PkpassError('INVALID_IMAGE', `${folder}/${extra}`, 'is in this language only')
  }
}

function stringsFiles(languages: Readonly<Record<string, Texts>>): readonly (readonly [string, Uint8Array])[] {
  const entries = Object.entries(languages).toSorted(([left], [right]) => (left < right ? -1 : 1))
  if (entries.length > MAX_LANGUAGES)
    throw new PkpassError('TOO_LARGE', 'languages', `holds more than ${MAX_LANGUAGES}`)
  const keys = Object.keys(entries[0]?.[1] ?? {}).length
  return entries.map(([locale, texts]) => {
    const path = `${locale}.lproj/pass.strings`
    if (!localePattern.test(locale)) throw new PkpassError('INVALID_PASS', path, 'is no language such as ru or pt-BR')
    if (Object.keys(texts).length > MAX_LANGUAGE_TEXTS) {
      throw new PkpassError('TOO_LARGE', path, `holds more than ${MAX_LANGUAGE_TEXTS} texts`)
    }
    const odd = Object.keys(entries[0]?.[1] ?? {}).find((key) => texts[key] === undefined)
    if (odd !== undefined || Object.keys(texts).length !== keys) {
      throw new PkpassError('INVALID_PASS', path, 'must have the same keys as the other languages')
    }
    return [path, encodeStrings(texts, path)] as const
  })
}

/** The format of Apple's strings files, in UTF-16 with a byte order mark, as Wallet demands for other than ASCII. */
function encodeStrings(texts: Texts, path: string): Buffer {
  const lines = Object.entries(texts).map(([key, value]) => {
    if (key.length > MAX_LANGUAGE_TEXT_CHARS || value.length > MAX_LANGUAGE_TEXT_CHARS) {
      throw new PkpassError('TOO_LARGE', path, `has a text of more than ${MAX_LANGUAGE_TEXT_CHARS} characters`)
    }
    return `"${escapeText(key)}" = "${escapeText(value)}";\n`
  })
  return Buffer.from(`\uFEFF${lines.join('')}`, 'utf16le')
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function checkImage(name: string, bytes: Uint8Array): void {
  const match = namePattern.exec(name)
  if (match === null) throw new PkpassError('INVALID_IMAGE', name, 'is not a file name that Wallet draws')
  if (bytes.length > MAX_IMAGE_BYTES) throw new PkpassError('TOO_LARGE', name, `has more than ${MAX_IMAGE_BYTES} bytes`)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isPng =
    buffer.length >= LEAST_PNG_BYTES &&
    buffer.subarray(0, 8).equals(pngSignature) &&
    buffer.toString('latin1', 12, 16) === 'IHDR' &&
    buffer.readUInt32BE(29) === crc32(buffer.subarray(12, 29)) &&
    buffer.subarray(-8, -4).toString('latin1') === 'IEND'
  if (!isPng) throw new PkpassError('INVALID_IMAGE', name, 'is not a whole PNG')
  checkSize(name, match[2] as keyof typeof largestPoints, Number(match[3] ?? 1), [
    buffer.readUInt32BE(16),
    buffer.readUInt32BE(20),
  ])
}

function checkSize(
  name: string,
  kind: keyof typeof largestPoints,
  scale: number,
  [width, height]: readonly [number, number],
): void {
  const [widest, highest] = largestPoints[kind]
  if (width < 1 || height < 1 || width > widest * scale || height > highest * scale) {
    throw new PkpassError('INVALID_IMAGE', name, `must have at most ${widest * scale} by ${highest * scale} pixels`)
  }
  const least = LEAST_ICON_POINTS * scale
  if (kind === 'icon' && (width < least || height < least)) {
    throw new PkpassError('INVALID_IMAGE', name, `must have at least ${least} by ${least} pixels`)
  }
}
