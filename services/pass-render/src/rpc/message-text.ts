import { checkText, invalidArgument } from '@stampede/platform'
import { designPlaces } from '../domain/design.ts'
import { parsePattern, placesOf } from '../domain/pattern.ts'

/** Longest text of a message, in characters. */
const MAX_MESSAGE_CHARS = 500

/** A message's pattern; throws INVALID_ARGUMENT naming the field when it is none or asks for what no card has. */
export function checkMessageText(text: string, field: string): string {
  const checked = checkText(text, field, { min: 1, max: MAX_MESSAGE_CHARS })
  const parsed = parsePattern(checked)
  if (!parsed.ok) throw invalidArgument(field, parsed.reason)
  for (const name of placesOf(parsed.pattern)) {
    if (!designPlaces.has(name) || name === 'message') throw invalidArgument(field, `has no place {${name}}`)
  }
  return checked
}
