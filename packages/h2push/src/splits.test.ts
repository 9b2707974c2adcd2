import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from './hpack/testing/random.ts'
import { FRAME_HEADER_BYTES } from './protocol/constants.ts'
import type { RequestBlock } from './request/block.ts'
import { Ledger } from './testing/ledger.ts'
import { NastyPeer, nastyTemper } from './testing/nasty-peer.ts'
import { pushBlock, pushPath, pushTemplate } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const REQUESTS = 12
const template = pushTemplate()
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

interface Exchange {
  /** What the server wrote before any request. */
  readonly greeting: Buffer
  /** What it wrote later. */
  readonly answers: Buffer
  readonly ledger: Ledger
}

function start(): { readonly rig: SessionRig; readonly block: RequestBlock } {
  const rig = new SessionRig()
  const block = pushBlock(template, 0, REQUESTS)
  rig.submit(block)
  return { rig, block }
}

/** What a nasty server that ends nothing writes for a few requests; all are opened with its first SETTINGS. */
function record(random: Random): Exchange {
  const { rig, block } = start()
  const ledger = new Ledger()
  const written: Buffer[] = []
  const write = (bytes: Buffer): void => {
    // SETTINGS alone at first: all requests are opened before anything else.
    const firstBytes = written.length === 0 ? FRAME_HEADER_BYTES + bytes.readUIntBE(0, 3) : 0
    for (const part of [bytes.subarray(0, firstBytes), bytes.subarray(firstBytes)]) {
      written.push(part)
      rig.feed(part)
    }
  }
  const temper = { ...nastyTemper, requestsMax: 0, refusedOnceIn: 0, noiseOnceIn: 8, bodyBytesMax: 500, streams: 100 }
  const host = { write, end: () => assert.fail('it ends nothing') }
  const peer = new NastyPeer(random, temper, ledger, host)
  for (let step = 0; block.open > 0 && step < 1_000; step += 1) {
    peer.receive(rig.take())
    peer.step()
  }
  assert.deepEqual(peer.judge.violations, [])
  return { greeting: written[0] as Buffer, answers: Buffer.concat(written.slice(1)), ledger }
}

/** Gives the same bytes to a fresh session; the outcomes must be the same. */
function replay({ ledger }: Exchange, how: string, feed: (rig: SessionRig) => void): void {
  const { rig, block } = start()
  feed(rig)
  assert.equal(rig.error, undefined, `SEED=${seed}, ${how}`)
  assert.deepEqual(
    ledger.faults(block, (index) => pushPath(block, index)),
    [],
    `SEED=${seed}, ${how}`,
  )
}

test('the bytes of a server may be split at every offset', () => {
  const exchange = record(new Random(seed))
  const { greeting, answers } = exchange
  for (let at = 0; at <= Math.max(greeting.length, answers.length); at += 1)
    replay(exchange, `split at ${at}`, (rig) => {
      for (const bytes of [greeting, answers]) {
        rig.feed(bytes.subarray(0, at))
        rig.feed(bytes.subarray(at))
      }
    })
})

test('the bytes of a server may come one by one, or in pieces of any size', () => {
  for (let run = 0; run < 20; run += 1) {
    const exchange = record(new Random(seed + run))
    for (const size of [1, 2, 3, 7, 8, 9, 10, 17, 100, 1_000, 16_384, 65_536])
      replay(exchange, `run ${run}, pieces of ${size}`, (rig) => {
        rig.feedInParts(exchange.greeting, size)
        rig.feedInParts(exchange.answers, size)
      })
  }
})
