/** An image that Google fetches by itself. */
export function image(uri: string, description: string): object {
  return { sourceUri: { uri }, contentDescription: localized(description, 'en') }
}

/** A text with its language. */
export function localized(value: string, language: string): object {
  return { defaultValue: { language, value } }
}

/** 0xRRGGBB as Google has colours. */
export function colour(value: number): string {
  return `#${value.toString(16).padStart(6, '0')}`
}

/** The first characters of a text. */
export function shorten(text: string, max: number): string {
  return [...text].slice(0, max).join('')
}
