import type { RequestBlock } from '../request/block.ts'
import { type Outcome, OutcomeCode, type RequestOutcome, type Response } from '../request/outcome.ts'
import type { Answer } from './random-answer.ts'

/** What servers did with one path. */
interface Entry {
  /** How often it was looked at. */
  processed: number
  /** The last answer. */
  answer: Answer | undefined
  /** All of that answer was written, on the connection of this number; -1 before. */
  finishedOn: number
}

/** What the servers of a test did with each request, to be compared with what the client says became of it. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  readonly #lossy = new Set<number>()
  #connections = 0

  /** Number for a new connection. */
  connect(): number {
    this.#connections += 1
    return this.#connections
  }

  /** Connections so far. */
  get connections(): number {
    return this.#connections
  }

  /** A server began to work on a request. */
  process(path: string, answer: Answer | undefined): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) this.#entries.set(path, { processed: 1, answer, finishedOn: -1 })
    else {
      entry.processed += 1
      entry.answer = answer
    }
  }

  /** All of the answer was written. */
  finish(path: string, connection: number): void {
    const entry = this.#entries.get(path)
    if (entry !== undefined) entry.finishedOn = connection
  }

  /** A connection was reset: what was written last may not have arrived. */
  lose(connection: number): void {
    this.#lossy.add(connection)
  }

  /** How often servers worked on a path. */
  processed(path: string): number {
    return this.#entries.get(path)?.processed ?? 0
  }

  /**
   * What is wrong with the outcomes of a block: each request must have one that its server's doings allow, and none
   * may have been processed more often than `sends` times.
   */
  faults(block: RequestBlock, pathOf: (index: number) => string, sends = 1): string[] {
    const faults: string[] = []
    for (let index = 0; index < block.size; index += 1) {
      const path = pathOf(index)
      const outcome = block.outcomes[index] as Outcome
      const fault =
        outcome === OutcomeCode.response
          ? this.#responseFault(path, block.statuses[index] as number, block.capturedText(index), block.response(index))
          : this.#endFault(path, outcome, block.cause(index))
      if (fault !== '') faults.push(`${path}: ${fault}`)
      if (this.processed(path) > sends) faults.push(`${path}: processed ${this.processed(path)} times`)
    }
    return faults
  }

  /** What is wrong with the outcome of a single request. */
  singleFault(path: string, outcome: RequestOutcome): string {
    if (this.processed(path) > 1) return `${path}: processed ${this.processed(path)} times`
    const apnsId = outcome.kind === 'response' ? outcome.headers.find(([name]) => name === 'apns-id')?.[1] : ''
    const fault =
      outcome.kind === 'response'
        ? this.#responseFault(path, outcome.status, apnsId ?? '', outcome)
        : this.#endFault(path, codeOf(outcome), 'cause' in outcome ? outcome.cause : '')
    return fault === '' ? '' : `${path}: ${fault}`
  }

  #endFault(path: string, outcome: Outcome, cause: string): string {
    const entry = this.#entries.get(path)
    if (outcome === OutcomeCode.pending) return 'has no outcome'
    if (outcome === OutcomeCode.notProcessed) {
      if (cause === '') return 'not processed without a cause'
      return entry === undefined ? '' : `not processed (${cause}), but it was`
    }
    if (outcome !== OutcomeCode.unknown) return ''
    if (cause === '') return 'unknown without a cause'
    const isFinished = entry !== undefined && entry.finishedOn >= 0 && !this.#lossy.has(entry.finishedOn)
    return isFinished ? `unknown (${cause}), but it was answered` : ''
  }

  #responseFault(path: string, status: number, apnsId: string, response: Response | undefined): string {
    const answer = this.#entries.get(path)?.answer
    if (answer === undefined) return `response ${status}, but it was not answered`
    if (answer.status !== status) return `status ${status} instead of ${answer.status}`
    if (answer.apnsId !== apnsId) return `apns-id ${apnsId} instead of ${answer.apnsId}`
    if (response === undefined)
      return status === 200 && answer.body.length + answer.trailers.length === 0 ? '' : 'the response is not kept'
    if (response.status !== status) return `kept status ${response.status}`
    if (!answer.body.equals(response.body)) return `body of ${response.body.length}, not ${answer.body.length} bytes`
    if (JSON.stringify(response.headers) !== JSON.stringify(answer.headers)) return 'other headers'
    if (JSON.stringify(response.trailers) !== JSON.stringify(answer.trailers)) return 'other trailers'
    return response.truncated ? 'truncated' : ''
  }
}

function codeOf(outcome: RequestOutcome): Outcome {
  if (outcome.kind === 'response') return OutcomeCode.response
  if (outcome.kind === 'not-processed') return OutcomeCode.notProcessed
  if (outcome.kind === 'unknown') return OutcomeCode.unknown
  return OutcomeCode[outcome.reason]
}
