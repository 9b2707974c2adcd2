import type { Clock } from '@stampede/platform'

/**
 * RFC 3339 without a fraction, the form of metav1.Time. A status that holds milliseconds comes back without them, and
 * then differs for ever from what is computed.
 */
export function wholeSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

/** The present in RFC 3339 with microseconds, the form of metav1.MicroTime. */
export function microTime(clock: Clock): string {
  return clock.now().toISOString().replace('Z', '000Z')
}
