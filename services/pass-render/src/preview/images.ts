/** An image of a template as a device with a sharp screen picks it. */
export interface PickedImage {
  readonly png: Uint8Array
  /** In points. */
  readonly width: number
  readonly height: number
}

const scales = [
  ['@3x', 3],
  ['@2x', 2],
  ['', 1],
] as const

/** Picks `name` (`logo`) in the locale's language, else the one of no language, at the best resolution. */
export function pickImage(
  images: Readonly<Record<string, Uint8Array>>,
  name: string,
  locale: string,
): PickedImage | undefined {
  const [language = ''] = locale.split('-')
  for (const folder of [`${locale}.lproj/`, `${language}.lproj/`, '']) {
    for (const [suffix, scale] of scales) {
      const png = images[`${folder}${name}${suffix}.png`]
      if (png !== undefined) return { png, ...pngSize(png, scale) }
    }
  }
  return undefined
}

// Templates' images were checked: the header is there (PNG specification, section 11.2.2).
function pngSize(png: Uint8Array, scale: number): { readonly width: number; readonly height: number } {
  const header = Buffer.from(png.buffer, png.byteOffset, png.byteLength)
  return { width: header.readUInt32BE(16) / scale, height: header.readUInt32BE(20) / scale }
}
