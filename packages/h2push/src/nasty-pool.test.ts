import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testTls } from '@stampede/platform/testing'
import { Random } from './hpack/testing/random.ts'
import { Pool } from './pool/pool.ts'
import { OutcomeCode } from './request/outcome.ts'
import { Ledger } from './testing/ledger.ts'
import { type Ending, nastyTemper, type Temper } from './testing/nasty-peer.ts'
import { NastyServer, type NastyServerOptions } from './testing/nasty-server.ts'
import { pushBlock, pushBlockOf, pushPath, pushTemplate, singleRequest } from './testing/pushes.ts'

const full = process.env['STAMPEDE_FULL'] === '1'
const firstSeed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const BLOCK_REQUESTS = 2_000
const template = pushTemplate()
const timings = {
  handshakeMs: 5_000,
  quietMs: 500,
  pingMs: 5_000,
  drainMs: 20_000,
  dialBaseMs: 2,
  dialMaxMs: 20,
  sweepMs: 20,
}
const quickTimings = { ...timings, quietMs: 100, pingMs: 1_500, drainMs: 1_000 }

interface Play {
  readonly blocks: number
  readonly singles: number
  readonly temper?: Partial<Temper>
  readonly split?: NastyServerOptions['split']
  readonly timings?: typeof timings
}

describe('a nasty server behind TLS', { concurrency: false }, () => {
  const tls = testTls()

  /** Sends until each request has ended once; returns how many ended in which way, by OutcomeCode. */
  async function play(seed: number, options: Play): Promise<number[]> {
    const random = new Random(seed)
    const ledger = new Ledger()
    const temper = { ...nastyTemper, ...options.temper }
    const { certPem, keyPem, caPem } = tls
    await using server = new NastyServer({ certPem, keyPem, seed, temper, ledger, split: options.split ?? 'random' })
    await using pool = new Pool({
      origin: await server.listen(),
      identity: () => ({ caPem }),
      timings: options.timings ?? timings,
      connectionsMax: 3,
    })
    const blocks = Array.from({ length: options.blocks }, (_, number) =>
      pushBlock(template, number * BLOCK_REQUESTS, BLOCK_REQUESTS),
    )
    for (const block of blocks) pool.submit(block)
    const singles = Array.from({ length: options.singles }, async (_, number) => {
      const path = `/single/${number}`
      const body = Buffer.alloc(random.below(random.once(20) ? 1_000_000 : 5_000), `${number} `)
      return ledger.singleFault(path, await pool.request(singleRequest(path, body, { timeoutMs: 120_000 })))
    })
    const faults = (await Promise.all(singles)).filter((fault) => fault !== '')
    for (const block of blocks) await block.done
    for (const block of blocks) faults.push(...ledger.faults(block, (index) => pushPath(block, index)))
    assert.deepEqual([...server.violations, ...faults].slice(0, 5), [], `SEED=${seed}`)
    const counts = new Array<number>(6).fill(0)
    for (const { outcomes } of blocks) for (const outcome of outcomes) counts[outcome] = (counts[outcome] as number) + 1
    return counts
  }

  test('every request ends in exactly one way, that fits what the server did', { timeout: 600_000 }, async () => {
    const blocks = full ? 500 : 20
    const counts = await play(firstSeed, { blocks, singles: full ? 5_000 : 300 })
    assert.equal(counts[OutcomeCode.pending], 0)
    assert.ok((counts[OutcomeCode.response] as number) > blocks * (BLOCK_REQUESTS / 6), `SEED=${firstSeed}: ${counts}`)
  })

  test('after an orderly GOAWAY nothing is lost and nothing is processed twice', { timeout: 60_000 }, async () => {
    const endings: readonly Ending[] = ['goaway', 'goaway', 'goaway-zero']
    const temper = { requestsMax: 1_777, endings, refusedOnceIn: 0, resetOnceIn: 0 }
    const counts = await play(firstSeed, { blocks: 10, singles: 50, temper })
    assert.equal(counts[OutcomeCode.response], 10 * BLOCK_REQUESTS, `SEED=${firstSeed}: ${counts}`)
  })

  test('after abrupt ends what is unknown is sent again: nothing is lost, nothing else is repeated', {
    timeout: 60_000,
  }, async () => {
    const ledger = new Ledger()
    const temper: Temper = { ...nastyTemper, endings: ['close', 'reset', 'goaway-close', 'goaway-reset'] }
    await using server = new NastyServer({ ...tls, seed: firstSeed, temper, ledger, split: 'random' })
    await using pool = new Pool({ origin: await server.listen(), identity: () => ({ caPem: tls.caPem }), timings })
    const sends = new Map<string, number>()
    let numbers = Array.from({ length: 10_000 }, (_, number) => number)
    for (let round = 1; numbers.length > 0; round += 1) {
      assert.ok(round < 60, `SEED=${firstSeed}: ${numbers.length} are never answered`)
      const block = pushBlockOf(template, numbers)
      pool.submit(block)
      await block.done
      const pathOf = (index: number): string => pushPath(block, index)
      assert.deepEqual(ledger.faults(block, pathOf, round).slice(0, 5), [], `SEED=${firstSeed}, round ${round}`)
      for (const index of numbers.keys()) sends.set(pathOf(index), round)
      numbers = numbers.filter((_, index) => block.outcomes[index] === OutcomeCode.unknown)
    }
    for (const [path, most] of sends) {
      const processed = ledger.processed(path)
      assert.ok(
        processed >= 1 && processed <= most,
        `SEED=${firstSeed}: ${path} processed ${processed} of ${most} times`,
      )
    }
    assert.deepEqual(server.violations, [])
  })

  test('a peer that falls silent is given up, and the rest goes on elsewhere', { timeout: 60_000 }, async () => {
    const endings: readonly Ending[] = ['silence', 'goaway-silence']
    const temper = { requestsMax: 4_000, endings, refusedOnceIn: 0, resetOnceIn: 0 }
    const counts = await play(firstSeed, { blocks: 3, singles: 20, temper, timings: quickTimings })
    const ended = (counts[OutcomeCode.response] as number) + (counts[OutcomeCode.unknown] as number)
    assert.equal(ended, 3 * BLOCK_REQUESTS, `SEED=${firstSeed}: ${counts}`)
  })

  test('records of one byte are read like any others', { timeout: 60_000 }, async () => {
    const temper = { requestsMax: 0, refusedOnceIn: 0, resetOnceIn: 0, bodyBytesMax: 300, streams: 100 }
    const counts = await play(firstSeed, { blocks: 1, singles: 0, temper, split: 'bytes' })
    assert.equal(counts[OutcomeCode.response], BLOCK_REQUESTS, `SEED=${firstSeed}: ${counts}`)
  })
})
