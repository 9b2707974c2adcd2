import { checkText } from '@stampede/platform'

/** The name of an event of a member. */
export function checkEventKey(text: string): string {
  return checkText(text, 'event_key', { min: 1, max: 128 })
}
