import type { BrandView, CardState } from './card.ts'
import type { BarcodeName, Design } from './design.ts'

/** Display length that Google recommends for names, in characters. */
const MAX_NAME_CHARS = 20
/** Places that one object may carry. */
const MAX_MERCHANT_LOCATIONS = 10

const barcodeTypes: Readonly<Record<BarcodeName, string>> = {
  qr: 'QR_CODE',
  pdf417: 'PDF_417',
  aztec: 'AZTEC',
  code128: 'CODE_128',
  ean13: 'EAN_13',
  code39: 'CODE_39',
  codabar: 'CODABAR',
  i2of5: 'ITF_14',
}

/** Id of a brand's loyalty class. Ids are for ever at Google, so the shape of the suffix carries a version. */
export function googleClassId(brand: BrandView): string {
  return `${brand.googleIssuerId}.${brand.brand}.v1`
}

/** Id of a pass's loyalty object. */
export function googleObjectId(brand: BrandView, serial: string): string {
  return `${brand.googleIssuerId}.${brand.brand}.${serial}`
}

/** The serial in an object's id; undefined when the object is not this brand's. */
export function googleObjectSerial(brand: BrandView, objectId: string): string | undefined {
  const head = `${brand.googleIssuerId}.${brand.brand}.`
  const serial = objectId.startsWith(head) ? objectId.slice(head.length) : ''
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(serial) ? serial : undefined
}

/** The brand's loyalty class as JSON; the logo's address is used when the design names none, as Google demands one. */
export function googleClassJson(brand: BrandView, design: Design, logoUrl: string, callbackUrl: string): string {
  return JSON.stringify({
    id: googleClassId(brand),
    issuerName: shorten(brand.name),
    programName: shorten(design.logoText === '' ? brand.name : design.logoText),
    programLogo: image(design.googleLogoUrl === '' ? logoUrl : design.googleLogoUrl, `${brand.name} logo`),
    ...(design.googleHeroUrl === '' ? {} : { heroImage: image(design.googleHeroUrl, brand.name) }),
    hexBackgroundColor: `#${design.backgroundColor.toString(16).padStart(6, '0')}`,
    // Google approves at once, but refuses a later write that does not repeat it.
    reviewStatus: 'UNDER_REVIEW',
    multipleDevicesAndHoldersAllowedStatus: 'ONE_USER_ALL_DEVICES',
    // Google tells us there who saved a card and who removed it.
    callbackOptions: { url: callbackUrl },
  })
}

/** A card's loyalty object as JSON. Never the member's name: it leaves our hands only on the member's own phone. */
export function googleObjectJson(brand: BrandView, design: Design, state: CardState, serial: string): string {
  const { account, member, relevance } = state
  const barcode = design.barcodes[0]
  const places = relevance.places.slice(0, MAX_MERCHANT_LOCATIONS)
  return JSON.stringify({
    id: googleObjectId(brand, serial),
    classId: googleClassId(brand),
    state: stateName(state),
    ...(member.status === 'erased' ? {} : { accountId: member.cardNumber }),
    loyaltyPoints: { label: 'Points', balance: pointsBalance(account.available) },
    ...(barcode === undefined || member.status === 'erased'
      ? {}
      : { barcode: { type: barcodeTypes[barcode], value: member.cardNumber, alternateText: member.cardNumber } }),
    merchantLocations: places.map(({ latitude, longitude }) => ({ latitude, longitude })),
  })
}

/** Cards are never deleted at Google: they end as what they came to. */
function stateName({ member, details }: CardState): string {
  if (member.status !== 'active' || details.lifecycle === 'blocked') return 'INACTIVE'
  if (details.lifecycle === 'used') return 'COMPLETED'
  return details.lifecycle === 'open' ? 'ACTIVE' : 'EXPIRED'
}

// int is 32 bits wide at Google; a larger balance goes as text.
function pointsBalance(points: bigint): { readonly int: number } | { readonly string: string } {
  const fits = points <= 2_147_483_647n && points >= -2_147_483_648n
  return fits ? { int: Number(points) } : { string: points.toString() }
}

function image(uri: string, description: string): object {
  return {
    sourceUri: { uri },
    contentDescription: { defaultValue: { language: 'en', value: description } },
  }
}

function shorten(text: string): string {
  return [...text].slice(0, MAX_NAME_CHARS).join('')
}
