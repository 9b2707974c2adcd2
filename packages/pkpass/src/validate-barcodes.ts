import { asArray, asObject, asText, fail, onlyKeys, optional } from './validate-values.ts'

/** Formats in one fallback chain; there are eight in all. */
export const MAX_BARCODES = 8

/** What a format can say; undefined: anything. The four that iOS 27 brought are drawn by nothing earlier. */
const formats: ReadonlyMap<string, { readonly isNew: boolean; readonly says: RegExp | undefined }> = new Map([
  ['PKBarcodeFormatQR', { isNew: false, says: undefined }],
  ['PKBarcodeFormatPDF417', { isNew: false, says: undefined }],
  ['PKBarcodeFormatAztec', { isNew: false, says: undefined }],
  ['PKBarcodeFormatCode128', { isNew: false, says: /^[\x20-\x7e]+$/ }],
  ['PKBarcodeFormatCode39', { isNew: true, says: /^[0-9A-Z .$/+%-]+$/ }],
  ['PKBarcodeFormatCodabar', { isNew: true, says: /^[A-D]?[0-9$:/.+-]+[A-D]?$/ }],
  ['PKBarcodeFormatEAN13', { isNew: true, says: /^\d{13}$/ }],
  ['PKBarcodeFormatI2of5', { isNew: true, says: /^(?:\d\d)+$/ }],
])
const barcodeKeys: ReadonlySet<string> = new Set(['format', 'message', 'messageEncoding', 'altText'])

/** Checks a fallback chain: the phone draws the first format that it knows, so the last must be one of old. */
export function checkBarcodes(value: unknown, path: string): void {
  const list = asArray(value, path, 1, MAX_BARCODES)
  for (let index = 0; index < list.length; index++) checkBarcode(list[index], `${path}[${index}]`)
  const last = asObject(list.at(-1), path)['format']
  if (typeof last === 'string' && formats.get(last)?.isNew === true) {
    fail(
      `${path}[${list.length - 1}].format`,
      'is drawn by nothing before iOS 27: end with QR, PDF417, Aztec or Code128',
    )
  }
}

/** Checks one barcode. */
export function checkBarcode(value: unknown, path: string): void {
  const barcode = asObject(value, path)
  onlyKeys(barcode, barcodeKeys, path)
  const format = formats.get(asText(barcode['format'], `${path}.format`))
  if (format === undefined) fail(`${path}.format`, 'is not a known format')
  const message = asText(barcode['message'], `${path}.message`)
  if (format.says?.test(message) === false) fail(`${path}.message`, 'holds what this format cannot say')
  if (barcode['format'] === 'PKBarcodeFormatEAN13' && !hasCheckDigit(message)) {
    fail(`${path}.message`, 'has a wrong check digit')
  }
  asText(barcode['messageEncoding'], `${path}.messageEncoding`)
  optional(barcode, 'altText', (text, name) => asText(text, name, 0), path)
}

/** GS1: digits in turn weighted 1 and 3 add up to a multiple of ten. */
function hasCheckDigit(digits: string): boolean {
  const sum = [...digits].reduce((total, digit, place) => total + Number(digit) * (place % 2 === 0 ? 1 : 3), 0)
  return sum % 10 === 0
}
