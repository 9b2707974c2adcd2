import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { OutcomeCode, Pool, RequestBlock, type RequestTemplate, type TlsIdentity } from '../../src/index.ts'
import { pushTemplate } from '../clients/sender.ts'
import type { CertificateFiles, Certificates } from '../sink/certificates.ts'

const TOKEN_BYTES = 32
const BLOCK_PUSHES = 500
const BACKLOG = 5_000
const CONNECTIONS = 2
const STREAMS_MAX = 1_000
/** Before a push answered with 429 is sent again. */
const RETRY_MS = 50
const DRAIN_MS = 10_000
/** Width of one count of acceptances. */
const BIN_MS = 10
/** Acceptances are averaged over so many counts: five turns of the sink's 20 ms. */
const WINDOW_BINS = 10
const DIP_SHARE = 0.5
/** A dip that starts later than this after a fault is not the fault's. */
const DIP_WITHIN_MS = 500
const RECOVERED_SHARE = 0.8

/** What became of all pushes of a load. */
export interface LoadResult {
  readonly pushes: number
  readonly accepted: number
  /** Never ended within the time allowed. */
  readonly pending: number
  readonly unknown: number
  readonly notProcessed: number
  readonly tooMany: number
  /** Any other end. */
  readonly other: number
}

/** Pushes that keep coming, each repeated until it is accepted, and when each was. */
export class SteadyLoad implements AsyncDisposable {
  readonly pool: Pool
  readonly #template: RequestTemplate
  readonly #acceptedByBin: number[] = []
  readonly #startedAtMs = Date.now()
  readonly #prefix = randomBytes(TOKEN_BYTES - 6)
  readonly #counts = { accepted: 0, unknown: 0, notProcessed: 0, tooMany: 0, other: 0 }
  #numbered = 0
  #isEnding = false
  #identity: TlsIdentity

  constructor(port: number, certificates: Certificates) {
    this.#identity = identityOf(certificates, certificates.clients[0])
    this.#template = pushTemplate(port)
    this.pool = new Pool({
      origin: `https://localhost:${port}`,
      identity: () => this.#identity,
      connectionsMin: CONNECTIONS,
      connectionsMax: CONNECTIONS,
      limits: { streamsMax: STREAMS_MAX },
      // A dead connection is to be noticed within a second here; the defaults suit the wide world.
      timings: { quietMs: 250, pingMs: 500, sweepMs: 50, dialBaseMs: 50 },
    })
    this.#refill()
  }

  /** Dials with other files from now on. */
  renew(certificates: Certificates, files: CertificateFiles): void {
    this.#identity = identityOf(certificates, files)
    this.pool.renew()
  }

  /** Stops making pushes, waits for those that there are, and counts. */
  async end(): Promise<LoadResult> {
    this.#isEnding = true
    const deadlineAtMs = Date.now() + DRAIN_MS
    while (this.#counts.accepted + this.#counts.other < this.#numbered && Date.now() < deadlineAtMs)
      await new Promise((resolve) => setTimeout(resolve, BIN_MS))
    const pending = this.#numbered - this.#counts.accepted - this.#counts.other
    return { pushes: this.#numbered, pending, ...this.#counts }
  }

  /** Acceptances per second in the time given, in milliseconds since the epoch. */
  rate(fromMs: number, toMs: number): number {
    const [from, to] = [this.#bin(fromMs), this.#bin(toMs)]
    const accepted = this.#acceptedByBin.slice(from, to).reduce((sum, count) => sum + (count ?? 0), 0)
    return accepted / (((to - from) * BIN_MS) / 1000)
  }

  /**
   * Whether, and how long after `sinceMs`, acceptances came at four fifths of `normal` again; 0 when they never fell
   * below half, undefined when they did not come back until `untilMs`.
   */
  recoveredAfterMs(normal: number, sinceMs: number, untilMs: number): number | undefined {
    const step = WINDOW_BINS * BIN_MS
    let hasDipped = false
    for (let at = sinceMs; at + step <= untilMs; at += BIN_MS) {
      const rate = this.rate(at, at + step)
      if (!hasDipped && at > sinceMs + DIP_WITHIN_MS) return 0
      if (rate < normal * DIP_SHARE) hasDipped = true
      else if (hasDipped && rate >= normal * RECOVERED_SHARE) return at + step - sinceMs
    }
    return hasDipped ? undefined : 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]()
  }

  #bin(atMs: number): number {
    return Math.floor((atMs - this.#startedAtMs) / BIN_MS)
  }

  #refill(): void {
    while (!this.#isEnding && this.pool.queued < BACKLOG) {
      const tokens = Buffer.allocUnsafe(BLOCK_PUSHES * TOKEN_BYTES)
      for (let at = 0; at < tokens.length; at += TOKEN_BYTES) {
        this.#prefix.copy(tokens, at)
        tokens.writeUIntBE(this.#numbered, at + TOKEN_BYTES - 6, 6)
        this.#numbered += 1
      }
      this.#submit(tokens)
    }
  }

  #submit(variables: Uint8Array): void {
    const block = new RequestBlock({ template: this.#template, variables, variableBytes: TOKEN_BYTES })
    this.pool.submit(block)
    void block.done.then(() => this.#onEnded(block))
  }

  #onEnded(block: RequestBlock): void {
    const again: Uint8Array[] = []
    const later: Uint8Array[] = []
    for (let index = 0; index < block.size; index += 1) {
      const kind = this.#count(block, index)
      const token = block.variables.subarray(index * TOKEN_BYTES, (index + 1) * TOKEN_BYTES)
      if (kind === 'unknown' || kind === 'notProcessed') again.push(token)
      if (kind === 'tooMany') later.push(token)
    }
    if (again.length > 0) this.#submit(Buffer.concat(again))
    if (later.length > 0) setTimeout(() => this.#submit(Buffer.concat(later)), RETRY_MS)
    this.#refill()
  }

  #count(block: RequestBlock, index: number): keyof LoadResult {
    const kind = kindOf(block.outcomes[index], block.statuses[index])
    this.#counts[kind] += 1
    if (kind === 'accepted') {
      const bin = this.#bin(block.createdAtMs + (block.endedAfterMs[index] ?? 0))
      this.#acceptedByBin[bin] = (this.#acceptedByBin[bin] ?? 0) + 1
    }
    return kind
  }
}

function kindOf(
  outcome: number | undefined,
  status: number | undefined,
): Exclude<keyof LoadResult, 'pushes' | 'pending'> {
  if (outcome === OutcomeCode.unknown) return 'unknown'
  if (outcome === OutcomeCode.notProcessed) return 'notProcessed'
  if (outcome !== OutcomeCode.response) return 'other'
  return status === 200 ? 'accepted' : status === 429 ? 'tooMany' : 'other'
}

function identityOf(certificates: Certificates, { cert, key }: CertificateFiles): TlsIdentity {
  const read = (file: string): string => readFileSync(file, 'utf8')
  return { caPem: read(certificates.authority), certPem: read(cert), keyPem: read(key) }
}
