import { randomUUID } from 'node:crypto'
import type { ApnsFaults } from '../faults.ts'
import { seededRandom } from '../random.ts'
import type { TokenDirectory } from './directory.ts'
import type { PushStream } from './push-stream.ts'
import {
  type ApnsReason,
  type ClientIdentity,
  checkPayload,
  checkPushHeaders,
  isMessageId,
  reasonStatus,
  targetOf,
} from './rules.ts'

/** Tokens whose last push is remembered for TooManyRequests. */
const THROTTLED_TOKENS_MAX = 1_000_000
const FAULT_SEED = 20_261_127

/** What becomes of a push. */
export interface Verdict {
  /** Unix ms with fraction. */
  readonly at: number
  /** Lower-case hex; empty when the path names none. */
  readonly token: string
  readonly topic: string
  readonly status: number
  /** Undefined when it is accepted. */
  readonly reason: ApnsReason | undefined
  /** Since when the token is gone, Unix ms. */
  readonly goneSinceMs: number | undefined
  /** Lower case. */
  readonly apnsId: string
}

/** Decides on pushes: the rules, then the directory, then the faults. */
export class Verdicts {
  readonly #directory: TokenDirectory
  readonly #faults: () => ApnsFaults
  readonly #random = seededRandom(FAULT_SEED)
  readonly #lastPushMs = new Map<string, number>()

  constructor(directory: TokenDirectory, faults: () => ApnsFaults) {
    this.#directory = directory
    this.#faults = faults
  }

  /** Decides on a push that came completely. */
  decide({ headers, payload }: PushStream, client: ClientIdentity, at: number): Verdict {
    const target = targetOf(headers.path)
    const token = 'token' in target ? target.token : ''
    const topic = headers.topic ?? client.topic
    let reason = checkPushHeaders(headers, target, client) ?? checkPayload(payload)
    let goneSinceMs: number | undefined
    if (!reason) {
      const state = this.#directory.look(token, topic)
      if (state.kind === 'unknown') reason = 'BadDeviceToken'
      else if (state.kind === 'other-topic') reason = 'DeviceTokenNotForTopic'
      else if (state.kind === 'gone') {
        reason = 'Unregistered'
        goneSinceMs = state.sinceMs
      } else reason = this.#injectFault(token, at)
    }
    const status = reason ? reasonStatus[reason] : 200
    const apnsId = isMessageId(headers.apnsId) ? headers.apnsId.toLowerCase() : randomUUID()
    return { at, token, topic, status, reason, goneSinceMs, apnsId }
  }

  #injectFault(token: string, at: number): ApnsReason | undefined {
    const { tokenIntervalMs, failShare, failReason } = this.#faults()
    if (failShare > 0 && this.#random() < failShare) return failReason
    if (tokenIntervalMs === 0) return undefined
    const last = this.#lastPushMs.get(token)
    if (last !== undefined && at - last < tokenIntervalMs) return 'TooManyRequests'
    if (this.#lastPushMs.size >= THROTTLED_TOKENS_MAX) this.#lastPushMs.clear()
    this.#lastPushMs.set(token, at)
    return undefined
  }
}

/** Body of the answer to a push: Apple's JSON, empty for one that is accepted. */
export function answerBody({ reason, goneSinceMs }: Verdict): Buffer {
  if (!reason) return noBody
  return Buffer.from(
    JSON.stringify({ reason, ...(goneSinceMs !== undefined && { timestamp: Math.floor(goneSinceMs) }) }),
  )
}

const noBody = Buffer.alloc(0)
