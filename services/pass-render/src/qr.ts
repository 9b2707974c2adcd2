import { toSVG } from 'bwip-js/node'

/** A QR code of an address as SVG, with its quiet zone of four modules. */
export function qrSvg(text: string): string {
  return toSVG({ bcid: 'qrcode', text, paddingwidth: 4, paddingheight: 4 })
}
