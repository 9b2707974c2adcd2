import { createHash } from 'node:crypto'
import type { TokenDirectory, TokenState } from './directory.ts'

/** Tokens of a seed, told apart by their number: 4 bytes of it, big-endian, and 28 that only the seed gives. */
export interface TokenSeries {
  /** The token with that number, 64 digits of lower-case hex. The number is whole, from 0 to 2^32 - 1. */
  token(number: number): string
  /** The number of a token of this series; undefined for any other token. */
  numberOf(token: string): number | undefined
}

/** Most tokens of one series. */
export const SERIES_TOKENS_MAX = 100_000_000
/** Most series of one sandbox. */
const SERIES_MAX = 10_000
const NUMBER_HEX = 8
const TAIL_BYTES = 28
const TOKEN_HEX = NUMBER_HEX + 2 * TAIL_BYTES

interface KnownSeries {
  readonly topic: string
  readonly count: number
}

/** The series of a seed: the same in every process. */
export function tokenSeries(seed: string): TokenSeries {
  const tail = tailOf(seed)
  return {
    token: (number) => number.toString(16).padStart(NUMBER_HEX, '0') + tail,
    numberOf: (token) => (token.length === TOKEN_HEX && token.endsWith(tail) ? numberIn(token) : undefined),
  }
}

function tailOf(seed: string): string {
  return createHash('sha256')
    .update(seed)
    .digest('hex')
    .slice(0, 2 * TAIL_BYTES)
}

function numberIn(token: string): number {
  return Number.parseInt(token.slice(0, NUMBER_HEX), 16)
}

/**
 * Knows the tokens of added series besides those of the phones, so that a load test needs no million phones. Takes no
 * memory per token. A push to one is accepted and wakes nobody; every other token is judged by the phones. Series are
 * kept as long as the sandbox runs.
 */
export class SeriesDirectory implements TokenDirectory {
  readonly #phones: TokenDirectory
  readonly #byTail = new Map<string, KnownSeries>()

  constructor(phones: TokenDirectory) {
    this.#phones = phones
  }

  /** Makes the first `count` tokens of a seed known for a topic; a seed that is known already gets the new count. */
  add(seed: string, topic: string, count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > SERIES_TOKENS_MAX)
      throw new RangeError(`count: must be whole, from 1 to ${SERIES_TOKENS_MAX}`)
    const tail = tailOf(seed)
    if (!this.#byTail.has(tail) && this.#byTail.size >= SERIES_MAX) throw new RangeError(`seed: at most ${SERIES_MAX}`)
    this.#byTail.set(tail, { topic, count })
  }

  look(token: string, topic: string): TokenState {
    const series = this.#seriesOf(token)
    if (series === undefined) return this.#phones.look(token, topic)
    return { kind: series.topic === topic ? 'active' : 'other-topic' }
  }

  deliver(token: string, topic: string, acceptedAt: number): void {
    if (this.#seriesOf(token) === undefined) this.#phones.deliver(token, topic, acceptedAt)
  }

  #seriesOf(token: string): KnownSeries | undefined {
    const series = this.#byTail.get(token.slice(NUMBER_HEX))
    return series !== undefined && numberIn(token) < series.count ? series : undefined
  }
}
