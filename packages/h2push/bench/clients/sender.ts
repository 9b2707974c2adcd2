import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { OutcomeCode, Pool, RequestBlock, RequestTemplate } from '../../src/index.ts'
import { type Load, PUSH_BODY, pushHeaders } from '../peers/load.ts'

/** Pushes of one block. */
const BLOCK_PUSHES = 5_000
const TOKEN_BYTES = 32
const APNS_ID_BYTES = 36
const apnsIdPattern = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/
/** One id in so many is looked at in full. */
const LOOKED_AT = 1_000

/** What became of the pushes of one call. */
export interface Tally {
  ok: number
  failed: number
  /** Pushes whose outcome was unknown or that came back too often; each was sent again and ended above. */
  repeatedUnknown: number
  /** Rejections by reason. */
  readonly reasons: Map<string, number>
}

/** What differs from a plain run. */
export interface SenderOptions {
  /** Response headers are not kept in a table (SETTINGS_HEADER_TABLE_SIZE 0). */
  readonly withoutTable?: boolean
}

/** Our client, driven as a dispatcher would: blocks of tokens in, columns of outcomes out. */
export class Sender implements AsyncDisposable {
  readonly #pool: Pool
  readonly #template: RequestTemplate
  readonly #prefix = randomBytes(TOKEN_BYTES - 6)
  /** Token columns of blocks that have ended, to be filled again: bytes that wait long are collected late. */
  readonly #spare: Buffer[] = []
  #numbered = 0

  constructor(load: Load, { withoutTable = false }: SenderOptions = {}) {
    const caPem = readFileSync(load.authority, 'utf8')
    this.#pool = new Pool({
      origin: `https://localhost:${load.port}`,
      identity: () => ({ caPem }),
      connectionsMin: load.connections,
      connectionsMax: load.connections,
      limits: { streamsMax: load.streams, ...(withoutTable ? { headerTableBytes: 0 } : {}) },
    })
    this.#template = pushTemplate(load.port)
  }

  /**
   * Sends so many pushes to new tokens, keeping `backlog` of them queued while there are any left to queue. `onEnded`
   * is told, block by block, how many have ended.
   */
  async send(count: number, backlog: number, onEnded: (ended: number) => void = () => undefined): Promise<Tally> {
    const tally: Tally = { ok: 0, failed: 0, repeatedUnknown: 0, reasons: new Map() }
    if (count === 0) return tally
    const { promise, resolve, reject } = Promise.withResolvers<Tally>()
    let unsubmitted = count
    const submit = (variables: Uint8Array): void => {
      const block = new RequestBlock({ template: this.#template, variables, variableBytes: TOKEN_BYTES })
      this.#pool.submit(block)
      block.done.then(() => end(block)).catch(reject)
    }
    const refill = (): void => {
      while (unsubmitted > 0 && this.#pool.queued < backlog) {
        const size = Math.min(BLOCK_PUSHES, unsubmitted)
        unsubmitted -= size
        submit(this.#tokens(size))
      }
    }
    const end = (block: RequestBlock): void => {
      const again = tallyBlock(block, tally)
      block[Symbol.dispose]()
      if (block.size === BLOCK_PUSHES) this.#spare.push(Buffer.from(block.variables.buffer))
      if (again.length > 0) submit(again)
      refill()
      onEnded(tally.ok + tally.failed)
      if (tally.ok + tally.failed === count) resolve(tally)
    }
    refill()
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }

  #tokens(count: number): Uint8Array {
    const spare = count === BLOCK_PUSHES ? this.#spare.pop() : undefined
    const tokens = spare ?? Buffer.allocUnsafeSlow(count * TOKEN_BYTES)
    for (let at = 0; at < tokens.length; at += TOKEN_BYTES) {
      this.#prefix.copy(tokens, at)
      tokens.writeUIntBE(this.#numbered, at + TOKEN_BYTES - 6, 6)
      this.#numbered += 1
    }
    return tokens
  }
}

/** The request that every peer sends, with the token's 32 bytes as what varies. */
export function pushTemplate(port: number): RequestTemplate {
  return new RequestTemplate({
    method: 'POST',
    authority: `localhost:${port}`,
    pathPrefix: '/3/device/',
    headers: Object.entries(pushHeaders),
    body: Buffer.from(PUSH_BODY),
    capture: { name: 'apns-id', bytesMax: APNS_ID_BYTES },
  })
}

/** Adds a block's outcomes to the tally; returns the tokens that are to be sent again. */
function tallyBlock(block: RequestBlock, tally: Tally): Uint8Array {
  const again: Uint8Array[] = []
  const { outcomes, statuses } = block
  for (let index = 0; index < block.size; index += 1) {
    const outcome = outcomes[index]
    if (outcome === OutcomeCode.unknown || outcome === OutcomeCode.notProcessed) {
      again.push(block.variables.subarray(index * TOKEN_BYTES, (index + 1) * TOKEN_BYTES))
    } else if (statuses[index] === 200 && hasId(block, index)) {
      tally.ok += 1
    } else {
      tally.failed += 1
      const body = block.response(index)?.body ?? new Uint8Array()
      const reason = /"reason":"(\w+)"/.exec(Buffer.from(body).toString())?.[1] ?? block.cause(index)
      tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1)
    }
  }
  tally.repeatedUnknown += again.length
  return Buffer.concat(again)
}

function hasId(block: RequestBlock, index: number): boolean {
  if (index % LOOKED_AT === 0) return apnsIdPattern.test(block.capturedText(index))
  return block.captured[index * APNS_ID_BYTES + APNS_ID_BYTES - 1] !== 0
}
