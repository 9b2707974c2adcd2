import type { BrandView } from './card.ts'
import { composePattern, type Pattern, type PatternPart, parsePattern } from './pattern.ts'

/** Places that are the same for everybody. */
const genericPlaces: ReadonlySet<string> = new Set(['brand', 'contact'])
/** White space after the end of a sentence. */
const sentenceEnd = /(?<=[.!?…。！？])\s+/

interface Sentence {
  readonly parts: PatternPart[]
  isPersonal: boolean
}

/**
 * A message as everybody may read it: sentences that hold a value of the card's own (a name, a balance, a plural of it)
 * are left out. Empty when nothing else is said, and for a broken pattern.
 */
export function genericText(text: string, brand: BrandView, locale: string): string {
  const parsed = parsePattern(text)
  if (!parsed.ok) return ''
  const values = {
    text: (name: string) => (name === 'brand' ? brand.name : name === 'contact' ? brand.contact : undefined),
    number: () => undefined,
  }
  return sentencesOf(parsed.pattern)
    .filter((sentence) => !sentence.isPersonal)
    .map(({ parts }) => composePattern(parts, values, locale).trim())
    .filter((sentence) => sentence !== '')
    .join(' ')
}

function sentencesOf(pattern: Pattern): readonly Sentence[] {
  let sentence: Sentence = { parts: [], isPersonal: false }
  const sentences = [sentence]
  for (const part of pattern) {
    if (part.kind !== 'text') {
      sentence.parts.push(part)
      sentence.isPersonal ||= part.kind !== 'place' || !genericPlaces.has(part.name)
      continue
    }
    for (const [index, words] of part.text.split(sentenceEnd).entries()) {
      if (index > 0) {
        sentence = { parts: [], isPersonal: false }
        sentences.push(sentence)
      }
      sentence.parts.push({ kind: 'text', text: words })
    }
  }
  return sentences
}
