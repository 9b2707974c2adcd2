/** A field as Wallet draws it. */
export interface PassField {
  /** Unique on the pass. */
  readonly key: string
  readonly value: string | number
  readonly label?: string
  /** May hold `<a href>` only; replaces the value on iPhone. */
  readonly attributedValue?: string
  /** Banner text when the value changes; must hold `%@`. Without it an update is silent. */
  readonly changeMessage?: string
  readonly textAlignment?: TextAlignment
  readonly dateStyle?: DateStyle
  readonly timeStyle?: DateStyle
  readonly isRelative?: boolean
  readonly ignoresTimeZone?: boolean
  readonly numberStyle?: NumberStyle
  /** ISO 4217; for numbers, never beside numberStyle. */
  readonly currencyCode?: string
  /** Back fields only. */
  readonly dataDetectorTypes?: readonly DataDetectorType[]
}

export type TextAlignment =
  | 'PKTextAlignmentLeft'
  | 'PKTextAlignmentCenter'
  | 'PKTextAlignmentRight'
  | 'PKTextAlignmentNatural'
export type DateStyle =
  | 'PKDateStyleNone'
  | 'PKDateStyleShort'
  | 'PKDateStyleMedium'
  | 'PKDateStyleLong'
  | 'PKDateStyleFull'
export type NumberStyle =
  | 'PKNumberStyleDecimal'
  | 'PKNumberStylePercent'
  | 'PKNumberStyleScientific'
  | 'PKNumberStyleSpellOut'
export type DataDetectorType =
  | 'PKDataDetectorTypePhoneNumber'
  | 'PKDataDetectorTypeLink'
  | 'PKDataDetectorTypeAddress'
  | 'PKDataDetectorTypeCalendarEvent'

/** Groups of fields of one style. */
export interface PassFields {
  readonly headerFields?: readonly PassField[]
  readonly primaryFields?: readonly PassField[]
  readonly secondaryFields?: readonly PassField[]
  readonly auxiliaryFields?: readonly PassField[]
  readonly backFields?: readonly PassField[]
}

/** Barcode formats; the last four are drawn since iOS 27 only. */
export type BarcodeFormat =
  | 'PKBarcodeFormatQR'
  | 'PKBarcodeFormatPDF417'
  | 'PKBarcodeFormatAztec'
  | 'PKBarcodeFormatCode128'
  | 'PKBarcodeFormatCode39'
  | 'PKBarcodeFormatCodabar'
  | 'PKBarcodeFormatEAN13'
  | 'PKBarcodeFormatI2of5'

export interface PassBarcode {
  readonly format: BarcodeFormat
  readonly message: string
  /** IANA charset name, usually iso-8859-1. */
  readonly messageEncoding: string
  readonly altText?: string
}

export interface PassLocation {
  /** Degrees, -90 to 90. */
  readonly latitude: number
  /** Degrees, -180 to 180. */
  readonly longitude: number
  /** Metres. */
  readonly altitude?: number
  readonly relevantText?: string
}

export interface PassBeacon {
  readonly proximityUUID: string
  /** 0 to 65,535. */
  readonly major?: number
  /** 0 to 65,535. */
  readonly minor?: number
  readonly relevantText?: string
}

/** The documented keys of pass.json that a retail card uses. Exactly one style is demanded. */
export interface PassJson {
  readonly formatVersion: 1
  /** `pass.` and a reverse domain; equals the UID of the signing certificate. */
  readonly passTypeIdentifier: string
  readonly serialNumber: string
  /** Ten characters; equals the OU of the signing certificate. */
  readonly teamIdentifier: string
  readonly organizationName: string
  readonly description: string
  readonly storeCard?: PassFields
  readonly coupon?: PassFields
  readonly generic?: PassFields
  readonly logoText?: string
  /** rgb(r, g, b) */
  readonly backgroundColor?: string
  /** rgb(r, g, b) */
  readonly foregroundColor?: string
  /** rgb(r, g, b) */
  readonly labelColor?: string
  /** A fallback chain: the phone draws the first format that it knows. */
  readonly barcodes?: readonly PassBarcode[]
  /** At most 10. */
  readonly locations?: readonly PassLocation[]
  /** At most 10. */
  readonly beacons?: readonly PassBeacon[]
  /** Metres; Wallet drops the key silently unless it is a number. */
  readonly maxDistance?: number
  /** https, together with authenticationToken. */
  readonly webServiceURL?: string
  /** At least 16 characters; never changes over the life of a pass. */
  readonly authenticationToken?: string
  /** ISO 8601 with time and zone. */
  readonly expirationDate?: string
  readonly voided?: boolean
  readonly sharingProhibited?: boolean
  readonly suppressStripShine?: boolean
  readonly associatedStoreIdentifiers?: readonly number[]
  readonly appLaunchURL?: string
  readonly userInfo?: unknown
}
