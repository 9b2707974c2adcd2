import type { Field, Template } from '@stampede/proto/templates/v1'

/** The template with its texts in another language; what has no translation stays as it is. */
export function translated(template: Template, texts: Readonly<Record<string, string>>): Template {
  const say = (text: string) => (Object.hasOwn(texts, text) ? (texts[text] ?? text) : text)
  const fields = (list: readonly Field[]) =>
    list.map((field) => ({
      ...field,
      label: say(field.label),
      value: say(field.value),
      changeMessage: say(field.changeMessage),
    }))
  return {
    ...template,
    logoText: say(template.logoText),
    headerFields: fields(template.headerFields),
    primaryFields: fields(template.primaryFields),
    secondaryFields: fields(template.secondaryFields),
    auxiliaryFields: fields(template.auxiliaryFields),
    backFields: fields(template.backFields),
    barcodeText: say(template.barcodeText),
    links: template.links.map((link) => ({ url: say(link.url), label: say(link.label) })),
  }
}

/** All texts of a template that a language may translate, each once. */
export function translatableTexts(template: Template): readonly string[] {
  const texts = new Set<string>()
  // What is asked for by the translation itself is what it can translate.
  const listening = new Proxy({} as Record<string, string>, {
    getOwnPropertyDescriptor: (_, key) => {
      if (typeof key === 'string' && key !== '') texts.add(key)
      return undefined
    },
  })
  translated(template, listening)
  return [...texts]
}

/**
 * Texts of the languages for phones: what stands on a card of no language follows the phone's. Only what has no place to
 * fill is there, for the rest is composed here. The design's own language is among them, or a phone of another language
 * would take any of the others.
 */
export function languagesOf(template: Template): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const isPlain = (text: string) => !/[{'%]/.test(text)
  const keys = translatableTexts(template).filter(
    (text) => isPlain(text) && template.languages.some(({ texts }) => isPlain(texts[text] ?? '{')),
  )
  if (keys.length === 0) return {}
  const own = [template.language || 'en', Object.fromEntries(keys.map((key) => [key, key]))] as const
  const others = template.languages.map(({ locale, texts }) => {
    return [locale, Object.fromEntries(keys.map((key) => [key, texts[key] ?? key]))] as const
  })
  return Object.fromEntries([own, ...others])
}
