import { checkText, invalidArgument } from '@stampede/platform'
import type { NewMember } from '@stampede/proto/enrollment/v1'

/** Longest reference, in characters. */
export const REFERENCE_MAX = 80
const NAME_MAX = 80
const EMAIL_MAX = 254
const LOCALE_MAX = 35
const LOCALE_DEFAULT = 'en'
const LOCALES_KNOWN_MAX = 1_000

const noControls = /^\P{Cc}*$/u
// Only what every address has: whether one is real is for a message to find out.
const emailPattern = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u
const phonePattern = /^\+[1-9]\d{6,14}$/
const storePattern = /^[A-Za-z0-9._-]{0,64}$/

/** Asking Intl costs 25 microseconds, and a brand's members share a few locales. */
const canonicalLocales = new Map<string, string>()

/** The member with the locale in canonical form, if each field keeps its limits; else INVALID_ARGUMENT naming the field. */
export function checkNewMember(member: NewMember): NewMember {
  return {
    reference: checkText(member.reference, 'member.reference', { max: REFERENCE_MAX, pattern: noControls }),
    firstName: checkText(member.firstName, 'member.first_name', { max: NAME_MAX, pattern: noControls }),
    lastName: checkText(member.lastName, 'member.last_name', { max: NAME_MAX, pattern: noControls }),
    email: checkOptional(member.email, 'member.email', emailPattern, 'must be an e-mail address'),
    phone: checkOptional(
      member.phone,
      'member.phone',
      phonePattern,
      'must be a number of E.164, such as +447700900123',
    ),
    locale: checkLocale(member.locale, 'member.locale'),
    marketingConsent: member.marketingConsent,
    storeId: checkText(member.storeId, 'member.store_id', { pattern: storePattern }),
  }
}

/** The form of an e-mail address in which two of the same person are equal. */
export function canonicalEmail(email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

function checkOptional(value: string, field: string, pattern: RegExp, expected: string): string {
  if (value === '') return value
  checkText(value, field, { max: EMAIL_MAX })
  if (!pattern.test(value)) throw invalidArgument(field, expected)
  return value
}

function checkLocale(value: string, field: string): string {
  if (value === '') return LOCALE_DEFAULT
  const known = canonicalLocales.get(value)
  if (known !== undefined) return known
  checkText(value, field, { max: LOCALE_MAX })
  try {
    const canonical = Intl.getCanonicalLocales(value)[0] ?? LOCALE_DEFAULT
    if (canonicalLocales.size < LOCALES_KNOWN_MAX) canonicalLocales.set(value, canonical)
    return canonical
  } catch {
    throw invalidArgument(field, 'must be a language tag of BCP 47, such as en-GB')
  }
}
