import { PushOutcome } from '@stampede/proto/push/v1'
import type { PushTable } from './push-table.ts'
import type { OutcomeColumns } from './result-wire.ts'

/** A final outcome. */
export type FinalOutcome = 'accepted' | 'rejected' | 'dead' | 'expired' | 'aborted'

const codes: Readonly<Record<FinalOutcome, PushOutcome>> = {
  accepted: PushOutcome.PUSH_OUTCOME_ACCEPTED,
  rejected: PushOutcome.PUSH_OUTCOME_REJECTED,
  dead: PushOutcome.PUSH_OUTCOME_DEAD_TOKEN,
  expired: PushOutcome.PUSH_OUTCOME_EXPIRED,
  aborted: PushOutcome.PUSH_OUTCOME_ABORTED,
}

/** Codes of PushOutcome, the unspecified one included. */
const OUTCOME_CODES = 6

/** What is told with an outcome. */
export interface OutcomeDetails {
  readonly atMs: number
  /** Default empty. */
  readonly reason?: string
  /** Default 0: not told. */
  readonly deadSinceMs?: number
}

/** Accounts for the pushes of one chunk, in columns: each push gets exactly one outcome. */
export class OutcomeBook {
  /** Number of pushes. */
  readonly size: number
  readonly #pushOfRecipient: Uint32Array
  /** PushOutcome; 0 while a push has none. */
  readonly #outcomes: Uint8Array
  readonly #reasonIndex: Uint16Array
  readonly #atMs: Float64Array
  readonly #deadSinceMs: Float64Array
  readonly #retries: Uint8Array
  readonly #reasons = new Map<string, number>([['', 0]])
  #open: number

  constructor({ size, pushOfRecipient }: Pick<PushTable, 'size' | 'pushOfRecipient'>) {
    this.size = size
    this.#pushOfRecipient = pushOfRecipient
    this.#outcomes = new Uint8Array(size)
    this.#reasonIndex = new Uint16Array(size)
    this.#atMs = new Float64Array(size)
    this.#deadSinceMs = new Float64Array(size)
    this.#retries = new Uint8Array(size)
    this.#open = size
  }

  /** Pushes without an outcome. */
  get open(): number {
    return this.#open
  }

  /** Whether a push has no outcome yet. */
  isOpen(push: number): boolean {
    return this.#outcomes[push] === 0
  }

  /** Notes that a push is sent once more. */
  countRetry(push: number): void {
    this.#retries[push] = this.retries(push) + 1
  }

  /** Attempts of a push beyond the first, 255 at most. */
  retries(push: number): number {
    return this.#retries[push] ?? 0
  }

  /** APNs took a push over: what becomes of nearly all. */
  accept(push: number, atMs: number): void {
    this.#close(push, PushOutcome.PUSH_OUTCOME_ACCEPTED, atMs)
  }

  /** Gives a push its one outcome; a second one is a programmer's error. */
  settle(push: number, outcome: FinalOutcome, { atMs, reason = '', deadSinceMs = 0 }: OutcomeDetails): void {
    this.#close(push, codes[outcome], atMs)
    this.#reasonIndex[push] = this.#indexOf(reason)
    this.#deadSinceMs[push] = deadSinceMs
  }

  /** Recipients by PushOutcome, and by reason. */
  counts(): { readonly outcomes: Uint32Array; readonly reasons: ReadonlyMap<string, number> } {
    const outcomes = new Uint32Array(OUTCOME_CODES)
    const byReason = new Uint32Array(this.#reasons.size)
    for (let recipient = 0; recipient < this.#pushOfRecipient.length; recipient += 1) {
      const push = this.#pushOfRecipient[recipient] as number
      increment(outcomes, this.#outcomes[push] as number)
      increment(byReason, this.#reasonIndex[push] as number)
    }
    const reasons = [...this.#reasons].map(([reason, index]) => [reason, byReason[index] as number] as const)
    return { outcomes, reasons: new Map(reasons) }
  }

  /** Each reason once; the first is the empty one. */
  reasons(): string[] {
    return [...this.#reasons.keys()]
  }

  /** The columns of the result; only when nothing is open. */
  columns(): OutcomeColumns {
    if (this.#open > 0) throw new Error(`${this.#open} pushes have no outcome`)
    return {
      pushOfRecipient: this.#pushOfRecipient,
      outcomes: this.#outcomes,
      reasonIndex: this.#reasonIndex,
      atMs: this.#atMs,
      retries: this.#retries,
      deadSinceMs: this.#deadSinceMs,
    }
  }

  #close(push: number, outcome: PushOutcome, atMs: number): void {
    if (this.#outcomes[push] !== 0) throw new Error(`push ${push} is unknown or has an outcome already`)
    this.#outcomes[push] = outcome
    this.#atMs[push] = atMs
    this.#open -= 1
  }

  #indexOf(reason: string): number {
    const known = this.#reasons.get(reason)
    if (known !== undefined) return known
    this.#reasons.set(reason, this.#reasons.size)
    return this.#reasons.size - 1
  }
}

function increment(counts: Uint32Array, index: number): void {
  counts[index] = (counts[index] as number) + 1
}
