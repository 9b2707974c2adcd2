import assert from 'node:assert/strict'

/**
 * Part of an issuer's quota that is used. Google counts calls when they arrive: those of 1.0 s that left evenly spaced
 * but came up to j late can all fall into one second with the next j's. At 20 per second that makes 16 x (1 + j) + 1 at
 * most, so 180 ms of delays (30 at our end, the rest on the way) are no overrun.
 */
export const GOOGLE_USABLE_SHARE = 0.8

/** What a message to Google's holders costs. */
export interface GoogleMessagePlan {
  /** Calls of the issuer's quota. */
  readonly calls: number
  /** How long they take when the issuer does nothing else, in seconds. */
  readonly seconds: number
  /** Whether all of them are made in time. */
  readonly fits: boolean
  /** Holders that are not reached in time: named in the results, never reached late. */
  readonly remainder: number
}

/**
 * Says before a message is sent what it costs. A message to a class is one call, whatever the number of its holders;
 * one to a list of objects is a call for each. `perSecond`: the issuer's quota; `withinSeconds`: until the deadline.
 */
export function planGoogleMessage(message: {
  readonly target: 'class' | 'objects'
  readonly holders: number
  readonly perSecond: number
  readonly withinSeconds: number
}): GoogleMessagePlan {
  const { target, holders, perSecond, withinSeconds } = message
  assert.ok(holders >= 0 && perSecond > 0, 'nobody or more, at some speed')
  const calls = target === 'class' ? Math.min(1, holders) : holders
  const usablePerSecond = perSecond * GOOGLE_USABLE_SHARE
  const inTime = Math.min(calls, Math.floor(Math.max(0, withinSeconds) * usablePerSecond))
  const missed = calls - inTime
  return {
    calls,
    seconds: calls / usablePerSecond,
    fits: missed === 0,
    remainder: target === 'class' && missed > 0 ? holders : missed,
  }
}
