import type { BrandInfo } from '@stampede/platform'

/** Apple stores a push for at most 30 days. */
export const EXPIRATION_SECONDS_MAX = 2_592_000

/** How the pushes of a chunk are sent. */
export interface PushSettings {
  /** Value of apns-push-type; empty: without that header. */
  readonly pushType: string
  /** Value of apns-priority. */
  readonly priority: 1 | 5 | 10
  /** How long Apple keeps a push for a phone that is off, in seconds from the making of the chunk. */
  readonly expirationSeconds: number
}

/** The brand's settings; a chunk that says how long its pushes live has its way. */
export function pushSettings(
  brand: Pick<BrandInfo, 'pushType' | 'pushPriority' | 'pushExpirationSeconds'>,
  chunk: { readonly expiresAfterSeconds: number },
): PushSettings {
  const isBackground = brand.pushType === 'background'
  return {
    pushType: isBackground ? 'background' : '',
    // Apple refuses background pushes at priority 10, and a refusal of that kind stops the brand.
    priority: isBackground && brand.pushPriority === 10 ? 5 : brand.pushPriority,
    expirationSeconds: chunk.expiresAfterSeconds === 0 ? brand.pushExpirationSeconds : chunk.expiresAfterSeconds,
  }
}
