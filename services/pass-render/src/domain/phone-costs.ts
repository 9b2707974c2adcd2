/** What a process did in a window of time. */
export interface PhoneWork {
  readonly seconds: number
  /** TLS handshakes without a session to resume. */
  readonly handshakes: number
  /** Answers of any kind. */
  readonly answers: number
  /** Passes that were rendered and signed; each has an answer, too. */
  readonly signed: number
}

/** CPU time of the parts of a phone's visit, in milliseconds. */
export interface PhoneCosts {
  readonly handshakeMs: number
  readonly answerMs: number
  readonly signedMs: number
}

/** How much of a surprise is learned from one window that was busy all the time. */
const GAIN = 0.3
/** Below this share of the time a window counts less and less: what little work costs says little about much. */
const BUSY_SHARE = 0.5
/**
 * What work costs more in a process that is nearly idle than in one that is busy all the time: each thing then wakes it
 * alone, with cold caches, and statements and records hold one phone's share instead of many. In between it is a line.
 */
const IDLE_SURCHARGE = 0.6
/** No part is believed to cost less or more than its first estimate times this. */
const [LEAST_FACTOR, MOST_FACTOR] = [0.2, 10]
/** Weight of the newest idle window in the mean of what is used without any phone. */
const IDLE_WEIGHT = 0.2

/**
 * Learns what the parts of a visit cost from what a process used in all and what it did. A window's surprise is shared
 * among the parts by what they are believed to have cost in it (a Kaczmarz step, weighted by the squared costs): so the
 * sum is right after a few windows whatever phones do, and the parts are told apart when their proportion changes.
 */
export class PhoneCostModel {
  readonly #first: PhoneCosts
  #costs: PhoneCosts
  #idleMsPerSecond = 0

  constructor(first: PhoneCosts) {
    this.#first = first
    this.#costs = first
  }

  /** Cost of a visit on a new connection: handshake, list, fresh pass. */
  get visitMs(): number {
    const { handshakeMs, answerMs, signedMs } = this.#costs
    return handshakeMs + 2 * answerMs + signedMs
  }

  /** What the process uses without any phone, in milliseconds per second. */
  get idleMsPerSecond(): number {
    return this.#idleMsPerSecond
  }

  /** Learns from a window in which so much CPU time was used; `busy`: share of the time that there was, 0 to 1. */
  learn(work: PhoneWork, usedMs: number, busy: number): void {
    const { handshakeMs, answerMs, signedMs } = this.#costs
    const believed = [work.handshakes * handshakeMs, work.answers * answerMs, work.signed * signedMs] as const
    const sum = believed[0] + believed[1] + believed[2]
    if (work.seconds <= 0) return
    if (sum === 0) {
      this.#idleMsPerSecond += IDLE_WEIGHT * (usedMs / work.seconds - this.#idleMsPerSecond)
      return
    }
    const surcharge = 1 + IDLE_SURCHARGE * (1 - Math.min(1, busy))
    const surprise = (usedMs - this.#idleMsPerSecond * work.seconds) / surcharge - sum
    const squares = believed.reduce((total, part) => total + part * part, 0)
    const step = (GAIN * Math.min(1, busy / BUSY_SHARE) * surprise) / squares
    const learned = (cost: number, first: number, part: number) =>
      Math.min(first * MOST_FACTOR, Math.max(first * LEAST_FACTOR, cost + step * cost * part))
    this.#costs = {
      handshakeMs: learned(handshakeMs, this.#first.handshakeMs, believed[0]),
      answerMs: learned(answerMs, this.#first.answerMs, believed[1]),
      signedMs: learned(signedMs, this.#first.signedMs, believed[2]),
    }
  }
}
