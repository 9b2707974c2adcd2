import { setTimeout as sleep } from 'node:timers/promises'
import {
  AnswerKind,
  type ApnsTransport,
  answersOfOneKind,
  type PushAnswers,
  type PushBatch,
} from '../apns/transport.ts'

/** What APNs answers to a push. */
export interface PipeAnswer {
  readonly status: number
  readonly reason: string
}

const accepted: PipeAnswer = { status: 200, reason: '' }

/** A transport that carries so many pushes per second, one after another, whoever sends them. */
export class PipeTransport implements ApnsTransport {
  /** Pushes that were answered so far, by lane and brand: `bulk/demo`. */
  readonly answered = new Map<string, number>()
  /** What a brand's pushes are answered with; default 200. */
  readonly answers = new Map<string, PipeAnswer>()
  readonly #perSecond: number
  #freeAtMs = 0

  /** Default: without a limit. */
  constructor(perSecond = Number.POSITIVE_INFINITY) {
    this.#perSecond = perSecond
  }

  async send({ brand, lane, tokens, tokenBytes }: PushBatch): Promise<PushAnswers> {
    const pushes = tokens.length / tokenBytes
    const nowMs = performance.now()
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + (pushes / this.#perSecond) * 1_000
    await sleep(this.#freeAtMs - nowMs)
    this.answered.set(`${lane}/${brand}`, this.count(`${lane}/${brand}`) + pushes)
    const { status, reason } = this.answers.get(brand) ?? accepted
    const all = answersOfOneKind(pushes, AnswerKind.answered)
    all.statuses.fill(status)
    all.atMs.fill(Date.now())
    const details = { reason, timestampMs: 0, retryAfterMs: 0 }
    return status === 200 ? all : { ...all, details: new Map([...all.kinds.keys()].map((push) => [push, details])) }
  }

  /** Pushes that were answered so far on a lane, `bulk/demo`. */
  count(lane: string): number {
    return this.answered.get(lane) ?? 0
  }

  stop(): void {}

  stopped(): undefined {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
