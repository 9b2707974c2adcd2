import { checkList, checkText, invalidArgument } from '@stampede/platform'

/** A text of a campaign in one language. */
export interface MessageText {
  readonly locale: string
  readonly text: string
}

const textMax = 500
const localesMax = 20
const names = new Set(['name', 'points', 'points_money', 'brand'])
const categories = new Set(['zero', 'one', 'two', 'few', 'many', 'other'])

/** Checks the texts of a message. Throws INVALID_ARGUMENT that names the text. */
export function checkTexts(texts: readonly MessageText[]): readonly MessageText[] {
  checkList(texts, 'texts', { min: 1, max: localesMax })
  const locales = new Set<string>()
  return texts.map(({ locale, text }, index) => {
    checkText(locale, `texts[${index}].locale`, { min: 2, max: 35, pattern: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/ })
    if (!isLocale(locale)) throw invalidArgument(`texts[${index}].locale`, 'is not a BCP-47 tag')
    if (locales.has(locale.toLowerCase())) throw invalidArgument(`texts[${index}].locale`, 'is there twice')
    locales.add(locale.toLowerCase())
    checkText(text, `texts[${index}].text`, { min: 1, max: textMax })
    const complaint = complainOf(text)
    if (complaint !== undefined) throw invalidArgument(`texts[${index}].text`, complaint)
    return { locale, text }
  })
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}

/** Why a pattern cannot be composed; undefined when it can. */
function complainOf(text: string): string | undefined {
  let position = 0
  while (position < text.length) {
    const open = text.indexOf('{', position)
    const close = text.indexOf('}', position)
    if (open < 0) return close < 0 ? undefined : 'has a } without a {'
    if (close >= 0 && close < open) return 'has a } without a {'
    const end = endOf(text, open)
    if (end === undefined) return 'has a { without its }'
    const complaint = complainOfArgument(text.slice(open + 1, end))
    if (complaint !== undefined) return complaint
    position = end + 1
  }
  return undefined
}

function endOf(text: string, open: number): number | undefined {
  let depth = 0
  for (let index = open; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1
    if (text[index] === '}') depth -= 1
    if (depth === 0) return index
  }
  return undefined
}

function complainOfArgument(argument: string): string | undefined {
  const [name = '', type, ...rest] = argument.split(',').map((part) => part.trim())
  if (!names.has(name)) return `{${name}} is not one of ${[...names].join(', ')}`
  if (type === undefined) return undefined
  if (type !== 'plural' || name !== 'points') return `{${argument}} is not a plural of points`
  return complainOfPlural(rest.join(','))
}

function complainOfPlural(forms: string): string | undefined {
  const found = new Set<string>()
  let position = 0
  while (position < forms.length) {
    const open = forms.indexOf('{', position)
    if (open < 0) break
    const category = forms.slice(position, open).trim()
    if (!categories.has(category) && !/^=\d{1,9}$/.test(category)) return `"${category}" is not a plural category`
    const end = endOf(forms, open)
    if (end === undefined) return 'has a { without its }'
    const complaint = complainOf(forms.slice(open + 1, end))
    if (complaint !== undefined) return complaint
    if (found.has(category)) return `the plural form ${category} is there twice`
    found.add(category)
    position = end + 1
  }
  if (forms.slice(position).trim() !== '') return 'has text behind the plural forms'
  return found.has('other') ? undefined : 'a plural needs the form other'
}
