import type { Field, Template } from '@stampede/proto/templates/v1'
import { type Fault, parseDesign } from '../design.ts'
import { placesOf } from '../pattern.ts'
import { translatableTexts } from '../translated.ts'
import { lintGoogle } from './google.ts'

/** Something about a template that its maker should know. */
export interface Finding {
  /** An error is refused when the template is stored. */
  readonly severity: 'error' | 'warning'
  /** As in the proto. */
  readonly field: string
  readonly reason: string
  readonly wallet: 'apple' | 'google' | 'both'
}

/** Contrast that small text needs (WCAG 2.2, 1.4.3). */
const MIN_CONTRAST = 4.5
/** Characters that Wallet draws in a row before it cuts off; measured on the widths of a phone in the system's font. */
const drawnChars = { header_fields: 9, primary_fields: 18, secondary_fields: 40, auxiliary_fields: 40 } as const

/** Images that a style draws, beside icon and logo. */
const imagesByStyle: Readonly<Record<string, readonly string[]>> = {
  store_card: ['strip'],
  gift_card: ['strip'],
  coupon: ['strip'],
  generic: ['thumbnail'],
  event: ['strip', 'background', 'thumbnail'],
}

/** Checks a template against the limits of both wallets. `hasGoogle`: whether the brand has an issuer. */
export function lintTemplate(template: Template, hasGoogle: boolean): readonly Finding[] {
  const parsed = parseDesign(template)
  const errors = parsed.ok ? [] : parsed.faults.map(errorOf)
  const warnings = [
    ...lintColours(template),
    ...lintImages(template),
    ...lintTexts(template),
    ...lintLanguages(template),
  ]
  const unused = parsed.ok ? lintValues(template, parsed.design) : []
  return [...errors, ...warnings, ...unused, ...(hasGoogle ? lintGoogle(template) : [])]
}

function errorOf(fault: Fault): Finding {
  return { severity: 'error', ...fault, wallet: 'both' }
}

/** A finding that is no error. */
export function warning(wallet: Finding['wallet'], field: string, reason: string): Finding {
  return { severity: 'warning', field: `template.${field}`, reason, wallet }
}

function lintColours(template: Template): readonly Finding[] {
  const pairs = [
    ['foreground_color', template.foregroundColor],
    ['label_color', template.labelColor],
  ] as const
  return pairs.flatMap(([field, colour]) => {
    const contrast = contrastOf(colour, template.backgroundColor)
    if (contrast >= MIN_CONTRAST) return []
    const reason = `stands out from the background ${contrast.toFixed(1)} to 1; small text needs ${MIN_CONTRAST}`
    return [warning('apple', field, reason)]
  })
}

/** Contrast ratio of two colours 0xRRGGBB, 1 to 21 (WCAG 2.2). */
export function contrastOf(one: number, other: number): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((left, right) => right - left)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance(colour: number): number {
  const [red = 0, green = 0, blue = 0] = [colour >> 16, (colour >> 8) & 255, colour & 255].map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function lintImages({ images, style, poster }: Template): readonly Finding[] {
  const names = Object.keys(images)
  const kinds = new Set(names.map((name) => name.replace(/^.*\//, '').replace(/(?:@[23]x)?\.png$/, '')))
  const drawn = new Set(['icon', 'logo', ...(imagesByStyle[style || 'store_card'] ?? [])])
  if (poster) for (const kind of ['artwork', 'primaryLogo', 'secondaryLogo']) drawn.add(kind)
  const findings: Finding[] = []
  for (const name of names) {
    const kind = name.replace(/^.*\//, '').replace(/(?:@[23]x)?\.png$/, '')
    if (!drawn.has(kind)) findings.push(warning('apple', `images[${name}]`, 'is not drawn by this style'))
  }
  for (const kind of kinds) {
    for (const scale of ['@2x', '@3x']) {
      if (!names.some((name) => name.endsWith(`${kind}${scale}.png`))) {
        findings.push(warning('apple', `images[${kind}${scale}.png]`, 'is missing: phones of today draw at 2x and 3x'))
      }
    }
  }
  if (!kinds.has('logo')) findings.push(warning('apple', 'images[logo.png]', 'is missing: the card has no logo'))
  return findings
}

function lintTexts(template: Template): readonly Finding[] {
  const groups = [
    ['header_fields', template.headerFields],
    ['primary_fields', template.primaryFields],
    ['secondary_fields', template.secondaryFields],
    ['auxiliary_fields', template.auxiliaryFields],
  ] as const
  return groups.flatMap(([group, fields]) => {
    // Fields of a row share its width.
    const room = Math.floor(drawnChars[group] / Math.max(1, group === 'header_fields' ? 1 : fields.length))
    return fields.flatMap((field: Field, index) => {
      const plain = field.value.replace(/\{[^{}]*\}/g, '')
      const isLong = [...plain].length > room || [...field.label].length > room * 2
      const reason = `is cut off: there is room for about ${room} characters`
      return isLong ? [warning('apple', `${group}[${index}]`, reason)] : []
    })
  })
}

function lintLanguages(template: Template): readonly Finding[] {
  const texts = translatableTexts(template).filter((text) => /\p{L}{2}/u.test(text.replace(/\{[^{}]*\}/g, '')))
  return template.languages.flatMap(({ locale, texts: known }, index) => {
    const missing = texts.filter((text) => !Object.hasOwn(known, text))
    if (missing.length === 0) return []
    const reason = `${locale} lacks ${missing.length} texts, such as “${missing[0]?.slice(0, 40)}”`
    return [warning('both', `languages[${index}].texts`, reason)]
  })
}

function lintValues(
  { values }: Template,
  design: {
    readonly patterns: readonly Parameters<typeof placesOf>[0][]
    readonly barcodeValue: Parameters<typeof placesOf>[0]
  },
): readonly Finding[] {
  const used = new Set([...design.patterns, design.barcodeValue].flatMap((pattern) => [...placesOf(pattern)]))
  return values.flatMap(({ name }, index) => {
    return used.has(`value.${name}`) ? [] : [warning('both', `values[${index}]`, 'is shown nowhere')]
  })
}
