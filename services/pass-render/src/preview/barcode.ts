import type { BarcodeFormat, PassBarcode } from '@stampede/pkpass'
import { toSVG } from 'bwip-js/node'
import { type Box, rect } from './svg.ts'
import { drawText, shorten } from './text.ts'

const PADDING = 10
const ALT_TEXT_HEIGHT = 18
const square = { width: 132, height: 132 }
const wide = { width: 280, height: 62 }

interface Symbology {
  /** As bwip-js names it. */
  readonly bcid: string
  readonly size: { readonly width: number; readonly height: number }
}

const symbologies: Readonly<Record<BarcodeFormat, Symbology>> = {
  PKBarcodeFormatQR: { bcid: 'qrcode', size: square },
  PKBarcodeFormatAztec: { bcid: 'azteccode', size: square },
  PKBarcodeFormatPDF417: { bcid: 'pdf417', size: wide },
  PKBarcodeFormatCode128: { bcid: 'code128', size: wide },
  PKBarcodeFormatEAN13: { bcid: 'ean13', size: wide },
  PKBarcodeFormatCode39: { bcid: 'code39', size: wide },
  PKBarcodeFormatCodabar: { bcid: 'rationalizedCodabar', size: wide },
  PKBarcodeFormatI2of5: { bcid: 'interleaved2of5', size: wide },
}

/** A barcode in its white box. */
export interface DrawnBarcode {
  readonly width: number
  readonly height: number
  draw(x: number, y: number): string
}

/** The first barcode of the chain that can be drawn, as Wallet does it; undefined when there is none. */
export function drawBarcode(barcodes: readonly PassBarcode[]): DrawnBarcode | undefined {
  for (const barcode of barcodes) {
    const { bcid, size } = symbologies[barcode.format]
    const code = symbol(bcid, barcode.message)
    if (code !== undefined) return boxed(code, size, barcode.altText ?? '')
  }
  return undefined
}

/** Undefined when the symbology cannot carry the message: an EAN of letters, for example. */
function symbol(bcid: string, text: string): string | undefined {
  try {
    return toSVG({ bcid, text })
  } catch {
    return undefined
  }
}

function boxed(code: string, size: Symbology['size'], altText: string): DrawnBarcode {
  const width = size.width + 2 * PADDING
  const height = size.height + 2 * PADDING + (altText === '' ? 0 : ALT_TEXT_HEIGHT)
  const style = { size: 13, weight: 'Regular', colour: '#000000' } as const
  return {
    width,
    height,
    draw: (x, y) => {
      const caption = shorten(altText, size.width, style)
      const place = { x: x + width / 2, y: y + height - PADDING, align: 'centre' } as const
      return [
        rect({ x, y, width, height }, '#ffffff', 6),
        nested(code, { x: x + PADDING, y: y + PADDING, ...size }),
        drawText(caption, place, style),
      ].join('')
    },
  }
}

function nested(svg: string, { x, y, width, height }: Box): string {
  const place = `x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none"`
  return svg.replace('<svg ', `<svg ${place} `)
}
