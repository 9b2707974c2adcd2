import type { Field, Template } from '@stampede/proto/templates/v1'
import { numberPlaceOf } from './design-values.ts'
import { alwaysHolds, type Pattern, parsePattern, placesOf } from './pattern.ts'

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
  /** Holds %@ whatever is chosen in it; undefined: the change is silent. */
  readonly changeMessage: Pattern | undefined
  /** Set when the value is sent as the number behind this place. */
  readonly numberPlace: string | undefined
}

/** Fields by group. */
export type DesignFields = Readonly<Record<FieldGroup, readonly DesignField[]>>

/** A link on the back. */
export interface DesignLink {
  readonly url: Pattern
  readonly label: string
}

/** What a design says, in one language. */
export interface LocalizedDesign {
  readonly logoText: string
  readonly fields: DesignFields
  readonly links: readonly DesignLink[]
  /** Under the barcode; undefined: as the barcode says. */
  readonly barcodeText: Pattern | undefined
  /** Every pattern of it. */
  readonly patterns: readonly Pattern[]
}

/** How faults are noted, and the places that patterns may use. */
export interface FieldFaults {
  readonly places: ReadonlySet<string>
  readonly report: (field: string, reason: string) => void
}

interface Parsing extends FieldFaults {
  readonly keys: Set<string>
  readonly patterns: Pattern[]
}

const groupPaths: Readonly<Record<FieldGroup, string>> = {
  headerFields: 'header_fields',
  primaryFields: 'primary_fields',
  secondaryFields: 'secondary_fields',
  auxiliaryFields: 'auxiliary_fields',
  backFields: 'back_fields',
}
const limits = { headerFields: 3, primaryFields: 1, secondaryFields: 4, auxiliaryFields: 4, backFields: 20 } as const
const reservedKeys = /^(?:link|history)_\d+$/
const MAX_LABEL_CHARS = 60
const MAX_CHANGE_MESSAGE_CHARS = 300
const MAX_LINKS = 10

/** Takes the texts of a template apart and notes what is wrong with them. */
export function parseLocalized(template: Template, faults: FieldFaults): LocalizedDesign {
  const parsing: Parsing = { ...faults, keys: new Set(), patterns: [] }
  const group = (name: FieldGroup) => parseGroup(template[name], name, parsing)
  const fields = {
    headerFields: group('headerFields'),
    primaryFields: group('primaryFields'),
    secondaryFields: group('secondaryFields'),
    auxiliaryFields: group('auxiliaryFields'),
    backFields: group('backFields'),
  }
  if (fields.secondaryFields.length + fields.auxiliaryFields.length > limits.secondaryFields) {
    faults.report('auxiliary_fields', `secondary and auxiliary fields share one row of ${limits.secondaryFields}`)
  }
  if (template.links.length > MAX_LINKS) faults.report('links', `must hold at most ${MAX_LINKS} links`)
  const links = template.links.map(({ url, label }, index) => ({
    url: parseText(url, `links[${index}].url`, parsing),
    label: checkLabel(label === '' ? url : label, `links[${index}].label`, parsing),
  }))
  for (const [index, { url }] of template.links.entries()) {
    if (!/^(?:https:\/\/|tel:|mailto:)\S+$/.test(url))
      faults.report(`links[${index}].url`, 'must begin with https://, tel: or mailto:')
  }
  const barcodeText = template.barcodeText === '' ? undefined : parseText(template.barcodeText, 'barcode_text', parsing)
  return { logoText: template.logoText, fields, links, barcodeText, patterns: parsing.patterns }
}

function parseGroup(fields: readonly Field[], group: FieldGroup, parsing: Parsing): readonly DesignField[] {
  const path = groupPaths[group]
  if (fields.length > limits[group]) parsing.report(path, `must hold at most ${limits[group]} fields`)
  return fields.map((field, index) => parseField(field, `${path}[${index}]`, parsing))
}

function parseField(field: Field, path: string, parsing: Parsing): DesignField {
  const { keys, report } = parsing
  if (!/^[a-z0-9_]{1,40}$/.test(field.key)) report(`${path}.key`, 'must be 1 to 40 characters of a-z, 0-9 and _')
  if (reservedKeys.test(field.key)) report(`${path}.key`, 'is kept for links and former messages')
  if (keys.has(field.key)) report(`${path}.key`, 'is used twice on the card')
  keys.add(field.key)
  if (field.value === '') report(`${path}.value`, 'is missing')
  const value = parseText(field.value, `${path}.value`, parsing)
  const base = {
    key: field.key,
    label: checkLabel(field.label, `${path}.label`, parsing),
    changeMessage: parseChange(field.changeMessage, `${path}.change_message`, parsing),
    value,
  }
  if (field.kind === '' || field.kind === 'text') return { ...base, numberPlace: undefined }
  if (field.kind !== 'number') report(`${path}.kind`, 'must be text or number')
  const numberPlace = numberPlaceOf(value)
  if (numberPlace === undefined) report(`${path}.value`, 'must be just one place that is a number when sent as one')
  return { ...base, numberPlace }
}

function parseChange(text: string, path: string, parsing: Parsing): Pattern | undefined {
  if (text === '') return undefined
  if (text.length > MAX_CHANGE_MESSAGE_CHARS) {
    parsing.report(path, `must have at most ${MAX_CHANGE_MESSAGE_CHARS} characters`)
  }
  const pattern = parseText(text, path, parsing)
  if (!alwaysHolds(pattern, '%@')) parsing.report(path, 'must hold %@, the place of the new value, whatever is chosen')
  return pattern
}

function parseText(text: string, path: string, { places, patterns, report }: Parsing): Pattern {
  const parsed = parsePattern(text)
  if (!parsed.ok) {
    report(path, parsed.reason)
    return []
  }
  for (const name of placesOf(parsed.pattern)) if (!places.has(name)) report(path, `has no place {${name}}`)
  patterns.push(parsed.pattern)
  return parsed.pattern
}

function checkLabel(label: string, path: string, { report }: Parsing): string {
  if ([...label].length > MAX_LABEL_CHARS) report(path, `must have at most ${MAX_LABEL_CHARS} characters`)
  return label
}
