import { PushOutcome } from '@stampede/proto/push/v1'

/** A final outcome. */
export type FinalOutcome = 'accepted' | 'rejected' | 'dead' | 'expired' | 'aborted'

const codes: Readonly<Record<FinalOutcome, PushOutcome>> = {
  accepted: PushOutcome.PUSH_OUTCOME_ACCEPTED,
  rejected: PushOutcome.PUSH_OUTCOME_REJECTED,
  dead: PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
  expired: PushOutcome.PUSH_OUTCOME_EXPIRED,
  aborted: PushOutcome.PUSH_OUTCOME_ABORTED,
}

/** The columns of a PushResult that a book yields, one entry per recipient. */
export interface OutcomeColumns {
  readonly outcomes: PushOutcome[]
  /** Each reason once; the first is the empty one. */
  readonly reasons: string[]
  readonly reasonIndex: number[]
  readonly atMs: bigint[]
  readonly retries: number[]
  readonly deadSinceMs: bigint[]
}

/** What is told with an outcome. */
export interface OutcomeDetails {
  readonly atMs: number
  /** Default empty. */
  readonly reason?: string
  /** Default 0: not told. */
  readonly deadSinceMs?: number
}

/**
 * Accounts for the recipients of one chunk. Recipients with the same token are one push; each push gets
 * exactly one outcome, and each recipient that of its push.
 */
export class OutcomeBook {
  /** Tokens that are pushed, each once. */
  readonly tokens: readonly Uint8Array[]
  readonly #pushOfRecipient: Uint32Array
  readonly #outcomes: (FinalOutcome | undefined)[]
  readonly #reasonIndex: Uint32Array
  readonly #atMs: Float64Array
  readonly #deadSinceMs: Float64Array
  readonly #retries: Uint32Array
  readonly #reasons = new Map<string, number>([['', 0]])
  #open: number

  constructor(recipients: readonly Uint8Array[]) {
    const pushByToken = new Map<string, number>()
    const tokens: Uint8Array[] = []
    this.#pushOfRecipient = Uint32Array.from(recipients, (token) => {
      const key = Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('latin1')
      const known = pushByToken.get(key)
      if (known !== undefined) return known
      pushByToken.set(key, tokens.length)
      return tokens.push(token) - 1
    })
    this.tokens = tokens
    this.#outcomes = new Array(tokens.length).fill(undefined)
    this.#reasonIndex = new Uint32Array(tokens.length)
    this.#atMs = new Float64Array(tokens.length)
    this.#deadSinceMs = new Float64Array(tokens.length)
    this.#retries = new Uint32Array(tokens.length)
    this.#open = tokens.length
  }

  /** Pushes without an outcome. */
  get open(): number {
    return this.#open
  }

  /** Notes that a push is sent once more. */
  countRetry(push: number): void {
    this.#retries[push] = this.retries(push) + 1
  }

  /** Attempts of a push beyond the first. */
  retries(push: number): number {
    return this.#retries[push] ?? 0
  }

  /** Gives a push its one outcome; a second one is a programmer's error. */
  settle(push: number, outcome: FinalOutcome, { atMs, reason = '', deadSinceMs = 0 }: OutcomeDetails): void {
    if (push < 0 || push >= this.#outcomes.length) throw new RangeError(`no push ${push}`)
    if (this.#outcomes[push] !== undefined) throw new Error(`push ${push} has an outcome already`)
    this.#outcomes[push] = outcome
    this.#reasonIndex[push] = this.#indexOf(reason)
    this.#atMs[push] = atMs
    this.#deadSinceMs[push] = deadSinceMs
    this.#open -= 1
  }

  /** Pushes that have no outcome yet. */
  openPushes(): readonly number[] {
    return [...this.#outcomes.keys()].filter((push) => this.#outcomes[push] === undefined)
  }

  /** The columns by recipient; only when nothing is open. */
  columns(): OutcomeColumns {
    if (this.#open > 0) throw new Error(`${this.#open} pushes have no outcome`)
    const pushes = [...this.#pushOfRecipient]
    return {
      outcomes: pushes.map((push) => codes[this.#outcomes[push] ?? 'expired']),
      reasons: [...this.#reasons.keys()],
      reasonIndex: pushes.map((push) => this.#reasonIndex[push] ?? 0),
      atMs: pushes.map((push) => BigInt(this.#atMs[push] ?? 0)),
      retries: pushes.map((push) => this.#retries[push] ?? 0),
      deadSinceMs: pushes.map((push) => BigInt(this.#deadSinceMs[push] ?? 0)),
    }
  }

  #indexOf(reason: string): number {
    const known = this.#reasons.get(reason)
    if (known !== undefined) return known
    this.#reasons.set(reason, this.#reasons.size)
    return this.#reasons.size - 1
  }
}
