import type { Field, Template } from '@stampede/proto/passes/v1'
import { type Pattern, parsePattern, placesOf } from './pattern.ts'

/** Places that a design's patterns may use. */
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
/** Places that stand for a number and may be sent as one. */
export const numberPlaces: ReadonlySet<string> = new Set(['points', 'next_expiry_points'])

/** Key of the field that carries a campaign's message. */
export const MESSAGE_FIELD_KEY = 'message'
/** Key of the field that carries the brand's contact, which Apple demands on the back. */
export const CONTACT_FIELD_KEY = 'contact'

/** Apple's barcode formats by our names; all are drawn by every iOS in use. */
export const barcodeFormats = {
  qr: 'PKBarcodeFormatQR',
  pdf417: 'PKBarcodeFormatPDF417',
  aztec: 'PKBarcodeFormatAztec',
  code128: 'PKBarcodeFormatCode128',
} as const
export type BarcodeName = keyof typeof barcodeFormats

/** Groups of fields, front to back. */
export const fieldGroups = [
  'headerFields',
  'primaryFields',
  'secondaryFields',
  'auxiliaryFields',
  'backFields',
] as const
export type FieldGroup = (typeof fieldGroups)[number]

/** A field ready to be composed. */
export interface DesignField {
  readonly key: string
  readonly label: string
  readonly value: Pattern
  readonly changeMessage: string
  /** Set when the value is sent as the number behind this place. */
  readonly numberPlace: string | undefined
}

/** A value of its own that a card carries. */
export interface DesignValue {
  readonly name: string
  readonly kind: ValueKind
  /** ISO 4217; empty: the brand's. */
  readonly currency: string
  /** Shown while a card has none. */
  readonly defaultValue: string
}

/** Kinds of values. */
export const valueKinds = ['text', 'integer', 'money', 'date'] as const
export type ValueKind = (typeof valueKinds)[number]

/** A checked design with its patterns taken apart. */
export interface Design {
  /** 0xRRGGBB. */
  readonly backgroundColor: number
  readonly foregroundColor: number
  readonly labelColor: number
  readonly logoText: string
  readonly fields: Readonly<Record<FieldGroup, readonly DesignField[]>>
  readonly barcodes: readonly BarcodeName[]
  readonly values: readonly DesignValue[]
  readonly googleLogoUrl: string
  readonly googleHeroUrl: string
  /** Whether any field asks for the member's name, which costs a key of enrollment's. */
  readonly usesName: boolean
}

/** A design, or the field of the template that is wrong. */
export type ParsedDesign =
  | { readonly ok: true; readonly design: Design }
  | { readonly ok: false; readonly field: string; readonly reason: string }

interface Fault {
  readonly field: string
  readonly reason: string
}

const groupPaths: Readonly<Record<FieldGroup, string>> = {
  headerFields: 'header_fields',
  primaryFields: 'primary_fields',
  secondaryFields: 'secondary_fields',
  auxiliaryFields: 'auxiliary_fields',
  backFields: 'back_fields',
}
const limits = { headerFields: 3, primaryFields: 1, secondaryFields: 4, auxiliaryFields: 4, backFields: 20 } as const
const MAX_LABEL_CHARS = 60
const MAX_CHANGE_MESSAGE_CHARS = 120
const MAX_LOGO_TEXT_CHARS = 40
const MAX_URL_CHARS = 500
const MAX_VALUES = 30
const MAX_DEFAULT_CHARS = 500

/** Checks a template (its images apart) and takes its patterns apart; fields are named as in the proto. */
export function parseDesign(template: Template): ParsedDesign {
  const faults: Fault[] = []
  const report = (field: string, reason: string) => faults.push({ field: `template.${field}`, reason })
  checkLook(template, report)
  const keys = new Set<string>()
  const values = checkValueSpecs(template, report)
  const places = new Set([...designPlaces, ...values.map(({ name }) => `value.${name}`)])
  const group = (name: FieldGroup) => parseGroup(template[name], name, { keys, places, report })
  const fields = {
    headerFields: group('headerFields'),
    primaryFields: group('primaryFields'),
    secondaryFields: group('secondaryFields'),
    auxiliaryFields: group('auxiliaryFields'),
    backFields: group('backFields'),
  }
  if (fields.secondaryFields.length + fields.auxiliaryFields.length > limits.secondaryFields) {
    report('auxiliary_fields', `secondary and auxiliary fields share one row of ${limits.secondaryFields}`)
  }
  const barcodes = template.barcodeFormats.filter((name): name is BarcodeName => Object.hasOwn(barcodeFormats, name))
  const fault = faults[0]
  if (fault !== undefined) return { ok: false, ...fault }
  const { backgroundColor, foregroundColor, labelColor, logoText, googleLogoUrl, googleHeroUrl } = template
  const look = { backgroundColor, foregroundColor, labelColor, logoText, googleLogoUrl, googleHeroUrl }
  const usesName = fieldGroups.some((name) => fields[name].some((field) => placesOf(field.value).has('name')))
  return { ok: true, design: { ...look, fields, barcodes, values, usesName } }
}

type Report = (field: string, reason: string) => void

function checkValueSpecs({ values }: Template, report: Report): readonly DesignValue[] {
  if (values.length > MAX_VALUES) report('values', `must hold at most ${MAX_VALUES} values`)
  const names = new Set<string>()
  return values.map(({ name, kind, currency, defaultValue }, index) => {
    const path = `values[${index}]`
    if (!/^[a-z0-9_]{1,40}$/.test(name)) report(`${path}.name`, 'must be 1 to 40 characters of a-z, 0-9 and _')
    if (names.has(name)) report(`${path}.name`, 'is there twice')
    names.add(name)
    const known = kind === '' ? 'text' : valueKinds.find((item) => item === kind)
    if (known === undefined) report(`${path}.kind`, `must be one of ${valueKinds.join(', ')}`)
    if (currency !== '' && !/^[A-Z]{3}$/.test(currency)) report(`${path}.currency`, 'must be an ISO 4217 code')
    if (defaultValue.length > MAX_DEFAULT_CHARS)
      report(`${path}.default_value`, `must have at most ${MAX_DEFAULT_CHARS} characters`)
    return { name, kind: known ?? 'text', currency, defaultValue }
  })
}

function checkLook(template: Template, report: Report): void {
  for (const [name, colour] of [
    ['background_color', template.backgroundColor],
    ['foreground_color', template.foregroundColor],
    ['label_color', template.labelColor],
  ] as const) {
    if (colour > 0xffffff) report(name, 'must be 0xRRGGBB')
  }
  if ([...template.logoText].length > MAX_LOGO_TEXT_CHARS) {
    report('logo_text', `must have at most ${MAX_LOGO_TEXT_CHARS} characters`)
  }
  const formats = template.barcodeFormats
  if (formats.length > 4) report('barcode_formats', 'must hold at most 4 formats')
  for (const [index, name] of formats.entries()) {
    if (!Object.hasOwn(barcodeFormats, name))
      report(`barcode_formats[${index}]`, 'must be qr, pdf417, aztec or code128')
    if (formats.indexOf(name) < index) report(`barcode_formats[${index}]`, 'is there twice')
  }
  checkUrl(template.googleLogoUrl, 'google_logo_url', report)
  checkUrl(template.googleHeroUrl, 'google_hero_url', report)
}

function checkUrl(url: string, field: string, report: Report): void {
  if (url === '') return
  if (url.length > MAX_URL_CHARS) report(field, `must have at most ${MAX_URL_CHARS} characters`)
  else if (!/^https?:\/\/\S+$/.test(url) || !URL.canParse(url)) report(field, 'must be a public http(s) URL')
}

interface Parsing {
  readonly keys: Set<string>
  readonly places: ReadonlySet<string>
  readonly report: Report
}

function parseGroup(fields: readonly Field[], group: FieldGroup, parsing: Parsing): readonly DesignField[] {
  const { report } = parsing
  const path = groupPaths[group]
  if (fields.length > limits[group]) report(path, `must hold at most ${limits[group]} fields`)
  return fields.map((field, index) => parseField(field, `${path}[${index}]`, parsing))
}

function parseField(field: Field, path: string, { keys, places, report }: Parsing): DesignField {
  if (!/^[a-z0-9_]{1,40}$/.test(field.key)) report(`${path}.key`, 'must be 1 to 40 characters of a-z, 0-9 and _')
  if (keys.has(field.key)) report(`${path}.key`, 'is used twice on the card')
  keys.add(field.key)
  if ([...field.label].length > MAX_LABEL_CHARS)
    report(`${path}.label`, `must have at most ${MAX_LABEL_CHARS} characters`)
  const change = field.changeMessage
  if (change.length > MAX_CHANGE_MESSAGE_CHARS) {
    report(`${path}.change_message`, `must have at most ${MAX_CHANGE_MESSAGE_CHARS} characters`)
  }
  if (change !== '' && !change.includes('%@'))
    report(`${path}.change_message`, 'must hold %@, the place of the new value')
  const value = parseValue(field.value, `${path}.value`, places, report)
  const base = { key: field.key, label: field.label, changeMessage: change, value }
  if (field.kind === '' || field.kind === 'text') return { ...base, numberPlace: undefined }
  if (field.kind !== 'number') report(`${path}.kind`, 'must be text or number')
  const only = value.length === 1 ? value[0] : undefined
  const name = only?.kind === 'place' && numberPlaces.has(only.name) ? only.name : undefined
  if (name === undefined) report(`${path}.value`, 'must be just {points} or {next_expiry_points} when sent as a number')
  return { ...base, numberPlace: name }
}

function parseValue(text: string, path: string, places: ReadonlySet<string>, report: Report): Pattern {
  if (text === '') report(path, 'is missing')
  const parsed = parsePattern(text)
  if (!parsed.ok) {
    report(path, parsed.reason)
    return []
  }
  for (const name of placesOf(parsed.pattern)) if (!places.has(name)) report(path, `has no place {${name}}`)
  return parsed.pattern
}
