import type { KeyRecord } from './certificate.ts'

/** What is known so far on the way to a certificate; what was not looked at yet is undefined. */
export interface IssuingState {
  readonly nowMs: number
  readonly mode: 'Api' | 'Manual'
  /** Resource id at Apple; null when Apple has no such pass type id. */
  readonly passType: string | null | undefined
  /** The key that waits. */
  readonly pending: KeyRecord | undefined
  /** The certificate for the pending key's public half (mode Manual: the one handed in); null when there is none. */
  readonly found: string | null | undefined
  /** How long after a request without an answer its certificate may still appear, ms. */
  readonly settleMs: number
}

/** The next thing to do for a certificate. */
export type IssuingStep =
  | { readonly kind: 'find-pass-type' }
  | { readonly kind: 'create-pass-type' }
  | { readonly kind: 'create-key' }
  /** Before asking: a request whose answer was lost has made a certificate all the same. */
  | { readonly kind: 'look-for-certificate'; readonly pending: KeyRecord }
  | { readonly kind: 'store-certificate'; readonly pending: KeyRecord; readonly content: string }
  /** A request is, or was, under way: another one could make a second certificate. */
  | { readonly kind: 'settle'; readonly untilMs: number }
  | { readonly kind: 'request-certificate'; readonly pending: KeyRecord }
  | { readonly kind: 'hand-out-request'; readonly pending: KeyRecord }

/** Decides the next step; each is safe to be taken again after a crash at any moment of it. */
export function nextStep(state: IssuingState): IssuingStep {
  const { mode, passType, pending, found } = state
  if (mode === 'Api' && passType === undefined) return { kind: 'find-pass-type' }
  if (mode === 'Api' && passType === null) return { kind: 'create-pass-type' }
  if (pending === undefined) return { kind: 'create-key' }
  if (found === undefined) return { kind: 'look-for-certificate', pending }
  if (found !== null) return { kind: 'store-certificate', pending, content: found }
  if (mode === 'Manual') return { kind: 'hand-out-request', pending }
  const untilMs = (pending.requestedAtMs ?? Number.NEGATIVE_INFINITY) + state.settleMs
  if (state.nowMs < untilMs) return { kind: 'settle', untilMs }
  return { kind: 'request-certificate', pending }
}
