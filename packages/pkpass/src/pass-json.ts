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
  /** Row of an auxiliary field of an event ticket: 0 or 1. */
  readonly row?: 0 | 1
  /** Semantic tags of this field. */
  readonly semantics?: Semantics
}

/** Machine-readable facts about a pass or a field, by Apple's tag names. */
export type Semantics = Readonly<Record<string, unknown>>

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
  /** Posters: one is drawn. */
  readonly footerFields?: readonly PassField[]
  /** Posters: behind the info button. */
  readonly additionalInfoFields?: readonly PassField[]
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

/** Contactless redemption (Apple VAS); needs an NFC certificate. */
export interface PassNfc {
  /** 1 to 64 bytes: Wallet cuts off what is beyond. */
  readonly message: string
  /** Base64 of a SubjectPublicKeyInfo on P-256; its point may be compressed. */
  readonly encryptionPublicKey: string
  /** Whether the phone must be unlocked; iOS 13.1. */
  readonly requiresAuthentication?: boolean
}

/** A time around which the pass is shown: a moment, or a begin and an end. */
export interface RelevantDate {
  readonly date?: string
  /** What iOS 18 calls `date`. */
  readonly relevantDate?: string
  readonly startDate?: string
  readonly endDate?: string
}

/** Something to do from the pass; iOS 27. */
export interface FeaturedAction {
  readonly identifier: string
  readonly type: FeaturedActionType
  readonly url: string
}

export type FeaturedActionType =
  | 'membershipBenefits'
  | 'viewOffersRewards'
  | 'addToBalance'
  | 'order'
  | 'shop'
  | 'bookAppointment'
  | 'call'
  | 'place'
  | 'viewSchedule'
  | 'watchTrailer'
  | 'listenToMusic'
  | 'bookCar'
  | 'bookFlight'
  | 'bookStay'

/** The documented keys of pass.json that a retail card uses. Exactly one classic style is demanded. */
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
  readonly eventTicket?: PassFields
  /** Beside a classic style: iOS 27 draws this one, earlier systems the classic one. */
  readonly posterGeneric?: PassFields
  /** For event tickets: posterEventTicket, eventTicket; the first that the phone knows. */
  readonly preferredStyleSchemes?: readonly string[]
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
  readonly nfc?: PassNfc
  readonly relevantDates?: readonly RelevantDate[]
  /** What iOS 17 and earlier read. */
  readonly relevantDate?: string
  /** At most 2 are shown. */
  readonly featuredActions?: readonly FeaturedAction[]
  readonly semantics?: Semantics
  /** Event tickets only: passes of one group are stacked. */
  readonly groupingIdentifier?: string
}
