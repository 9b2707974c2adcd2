import type { Template } from '@stampede/proto/templates/v1'
import type { Pattern } from './pattern.ts'

/** Kinds of values. */
export const valueKinds = ['text', 'integer', 'money', 'date'] as const
export type ValueKind = (typeof valueKinds)[number]

/** A value of its own that a card carries. */
export interface DesignValue {
  readonly name: string
  readonly kind: ValueKind
  /** ISO 4217; empty: the brand's. */
  readonly currency: string
  /** Shown while a card has none. */
  readonly defaultValue: string
}

/** Contactless redemption. */
export interface DesignNfc {
  readonly message: Pattern
  /** Base64 of a SubjectPublicKeyInfo on P-256. */
  readonly encryptionPublicKey: string
  readonly requiresAuthentication: boolean
  /** Google issuers; empty: the brand's own. */
  readonly redemptionIssuers: readonly string[]
}

type Report = (field: string, reason: string) => void

const MAX_VALUES = 30
const MAX_DEFAULT_CHARS = 500
const MAX_REDEMPTION_ISSUERS = 10
/** Places that stand for a number, beside values that are whole numbers. */
const numberPlaces: ReadonlySet<string> = new Set(['points', 'next_expiry_points'])

/** The place of a value in patterns. */
export function valuePlace({ name }: Pick<DesignValue, 'name'>): string {
  return `value.${name}`
}

/** The one place of a pattern that can be sent as a number; undefined when it is something else. */
export function numberPlaceOf(pattern: Pattern): string | undefined {
  const [only, ...others] = pattern
  if (only?.kind !== 'place' || others.length > 0) return undefined
  return numberPlaces.has(only.name) || only.name.startsWith('value.') ? only.name : undefined
}

/** The values that a template's cards carry. */
export function parseValueSpecs({ values }: Template, report: Report): readonly DesignValue[] {
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

/** What a template's cards carry for readers; undefined when nothing. Its key is checked with the pass. */
export function parseNfc(
  { nfc }: Template,
  parse: (text: string, field: string) => Pattern,
  report: Report,
): DesignNfc | undefined {
  if (nfc === undefined) return undefined
  if (nfc.message === '') report('nfc.message', 'is missing')
  if (nfc.encryptionPublicKey === '') report('nfc.encryption_public_key', 'is missing')
  if (nfc.redemptionIssuers.length > MAX_REDEMPTION_ISSUERS) {
    report('nfc.redemption_issuers', `must hold at most ${MAX_REDEMPTION_ISSUERS} issuers`)
  }
  for (const [index, issuer] of nfc.redemptionIssuers.entries()) {
    if (!/^\d{1,20}$/.test(issuer)) report(`nfc.redemption_issuers[${index}]`, 'must be digits')
  }
  const { encryptionPublicKey, requiresAuthentication, redemptionIssuers } = nfc
  const message = parse(nfc.message, 'nfc.message')
  return { message, encryptionPublicKey, requiresAuthentication, redemptionIssuers }
}
