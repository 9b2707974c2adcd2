import bwip from 'bwip-js/node'

const formats = new Map([
  ['qr', 'qrcode'],
  ['code128', 'code128'],
  ['pdf417', 'pdf417'],
  ['aztec', 'azteccode'],
])
const textMax = 200

/** A barcode as SVG; undefined for an unknown format or an empty or long text. */
export function drawBarcode(format: string, text: string): string | undefined {
  const bcid = formats.get(format)
  if (bcid === undefined || text === '' || text.length > textMax) return undefined
  return bwip.toSVG({ bcid, text, scale: 2, height: bcid === 'code128' ? 14 : 24, paddingwidth: 0, paddingheight: 0 })
}
