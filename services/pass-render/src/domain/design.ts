import type { Template } from '@stampede/proto/templates/v1'
import { type DesignFields, type FieldFaults, type LocalizedDesign, parseLocalized } from './design-fields.ts'
import { checkLook } from './design-look.ts'
import { type DesignNfc, type DesignValue, parseNfc, parseValueSpecs, valuePlace } from './design-values.ts'
import { type Pattern, parsePattern, placesOf } from './pattern.ts'
import { translated } from './translated.ts'

export { type DesignField, type FieldGroup, fieldGroups } from './design-fields.ts'

/** Places that a design's patterns may use, beside the values of its own. */
export const designPlaces: ReadonlySet<string> = new Set([
  'name',
  'card_number',
  'points',
  'points_money',
  'next_expiry_points',
  'next_expiry_date',
  'tier',
  'segment',
  'channel',
  'valid_until',
  'message',
  'brand',
  'contact',
])

/** Key of the field that carries a message. */
export const MESSAGE_FIELD_KEY = 'message'
/** Key of the field that carries the brand's contact, which Apple demands on the back. */
export const CONTACT_FIELD_KEY = 'contact'
/** Head of the keys of fields that the renderer adds: links and former messages. */
export const ADDED_KEY_HEADS = ['link_', 'history_'] as const

/** Apple's barcode formats by our names. The last four are drawn since iOS 27 only. */
export const barcodeFormats = {
  qr: 'PKBarcodeFormatQR',
  pdf417: 'PKBarcodeFormatPDF417',
  aztec: 'PKBarcodeFormatAztec',
  code128: 'PKBarcodeFormatCode128',
  ean13: 'PKBarcodeFormatEAN13',
  code39: 'PKBarcodeFormatCode39',
  codabar: 'PKBarcodeFormatCodabar',
  i2of5: 'PKBarcodeFormatI2of5',
} as const
export type BarcodeName = keyof typeof barcodeFormats

/** Kinds of cards. */
export const styles = ['store_card', 'coupon', 'generic', 'gift_card', 'event'] as const
export type Style = (typeof styles)[number]

/** How a tier shows on store cards at Google. */
export interface DesignTier {
  readonly tier: string
  readonly name: string
  /** What tiers are called. */
  readonly label: string
  /** Empty: the design's. */
  readonly heroUrl: string
}

/** A place that every card carries. */
export interface DesignPlace {
  readonly latitude: number
  readonly longitude: number
  readonly relevantText: string
}

/** A checked design with its patterns taken apart. */
export interface Design extends LocalizedDesign {
  readonly style: Style
  readonly isPoster: boolean
  /** BCP-47 of the design's own texts. */
  readonly language: string
  /** The same in other languages, by BCP-47. */
  readonly languages: ReadonlyMap<string, LocalizedDesign>
  /** 0xRRGGBB. */
  readonly backgroundColor: number
  readonly foregroundColor: number
  readonly labelColor: number
  readonly barcodes: readonly BarcodeName[]
  readonly barcodeValue: Pattern
  readonly values: readonly DesignValue[]
  readonly places: readonly DesignPlace[]
  /** Metres; 0: the wallet's own. */
  readonly maxDistanceMeters: number
  readonly expiresAt: Date | undefined
  readonly startsAt: Date | undefined
  readonly endsAt: Date | undefined
  /** Former messages on the back. */
  readonly messageHistory: number
  readonly tiers: readonly DesignTier[]
  readonly nfc: DesignNfc | undefined
  readonly isSharingProhibited: boolean
  readonly googleLogoUrl: string
  readonly googleHeroUrl: string
  /** Whether anything asks for the member's name, which costs a key of enrollment's. */
  readonly usesName: boolean
}

/** What is wrong with a template and where, as the proto names it. */
export interface Fault {
  readonly field: string
  readonly reason: string
}

/** A design, or all that is wrong with its template. */
export type ParsedDesign =
  | { readonly ok: true; readonly design: Design }
  | { readonly ok: false; readonly faults: readonly [Fault, ...Fault[]] }

/** Notes a fault at a field of the template. */
export type Report = (field: string, reason: string) => void

/** Checks a template (its images apart) and takes its patterns apart; fields are named as in the proto. */
export function parseDesign(template: Template): ParsedDesign {
  const faults: Fault[] = []
  const report: Report = (field, reason) => faults.push({ field: `template.${field}`, reason })
  checkLook(template, report)
  const values = parseValueSpecs(template, report)
  const places = new Set([...designPlaces, ...values.map(valuePlace)])
  const own = parseLocalized(template, { places, report })
  const barcodeValue = parseText(template.barcodeValue || '{card_number}', 'barcode_value', { places, report })
  const nfc = parseNfc(template, (text, field) => parseText(text, field, { places, report }), report)
  const languages = parseLanguages(template, { places, report })
  const [first, ...others] = faults
  if (first !== undefined) return { ok: false, faults: [first, ...others] }
  const asksForName = (item: LocalizedDesign) => item.patterns.some((pattern) => placesOf(pattern).has('name'))
  const usesName = asksForName(own) || [...languages.values()].some(asksForName)
  const design = { ...own, ...lookOf(template), languages, values, barcodeValue, nfc, usesName }
  return { ok: true, design }
}

function lookOf(template: Template) {
  const { backgroundColor, foregroundColor, labelColor, googleLogoUrl, googleHeroUrl } = template
  return {
    style: styles.find((style) => style === template.style) ?? 'store_card',
    isPoster: template.poster,
    language: template.language || 'en',
    backgroundColor,
    foregroundColor,
    labelColor,
    googleLogoUrl,
    googleHeroUrl,
    barcodes: template.barcodeFormats.filter((name): name is BarcodeName => Object.hasOwn(barcodeFormats, name)),
    places: template.places,
    maxDistanceMeters: template.maxDistanceMeters,
    expiresAt: template.expiresAt,
    startsAt: template.startsAt,
    endsAt: template.endsAt,
    messageHistory: template.messageHistory,
    tiers: template.tiers.map(({ tier, name, label, googleHeroUrl: heroUrl }) => {
      return { tier, name: name || tier, label: label || 'Tier', heroUrl }
    }),
    isSharingProhibited: template.sharingProhibited,
  }
}

function parseText(text: string, field: string, { places, report }: FieldFaults): Pattern {
  const parsed = parsePattern(text)
  if (!parsed.ok) {
    report(field, parsed.reason)
    return []
  }
  for (const name of placesOf(parsed.pattern)) if (!places.has(name)) report(field, `has no place {${name}}`)
  return parsed.pattern
}

function parseLanguages(template: Template, { places, report }: FieldFaults): ReadonlyMap<string, LocalizedDesign> {
  return new Map(
    template.languages.map((language, index) => {
      const there: Report = (field, reason) => report(`languages[${index}].texts`, `${field}: ${reason}`)
      const design = parseLocalized(translated(template, language.texts), { places, report: there })
      return [language.locale.toLowerCase(), design] as const
    }),
  )
}

/** The design in the language of a card: exact locale, then language, then the design's own. */
export function inLanguage(design: Design, locale: string): LocalizedDesign {
  const wanted = locale.toLowerCase()
  const [language = ''] = wanted.split('-')
  return design.languages.get(wanted) ?? design.languages.get(language) ?? design
}

/** Locale in which a card's numbers and days are written: its own, else the design's. */
export function localeOf(design: Design, locale: string): string {
  return locale === '' ? design.language : locale
}

export type { DesignFields, LocalizedDesign }
