import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInThisContext } from 'node:vm'
import { mutated, Random } from './hpack/testing/random.ts'
import { ErrorCode, FrameType } from './protocol/constants.ts'
import type { SingleRequest } from './request/single.ts'
import { framesOf } from './testing/frame-cutter.ts'
import { frame } from './testing/frame-writer.ts'
import { usedBytes } from './testing/heap.ts'
import { Ledger } from './testing/ledger.ts'
import { NastyPeer, nastyTemper } from './testing/nasty-peer.ts'
import { pushBlock, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const INPUTS = process.env['STAMPEDE_FULL'] === '1' ? 1_000_000 : 100_000
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
/** Inputs that are run under one watch. */
const BATCH_INPUTS = 1_000
const BATCH_MS_MAX = 60_000
const BLOCK_REQUESTS = 6
const GROWTH_BYTES_MAX = 16 * 1_048_576
const template = pushTemplate()
const errorCodes = new Set<number>(Object.values(ErrorCode))

interface Started {
  readonly rig: SessionRig
  readonly block: ReturnType<typeof pushBlock>
  readonly singles: readonly SingleRequest[]
}

function start(random: Random): Started {
  const rig = new SessionRig({ bodyBytesMax: 1_000, streamIdMax: random.once(20) ? 9 : 0x7fff_ffff })
  const block = pushBlock(template, 0, BLOCK_REQUESTS)
  rig.submit(block)
  const singles = random.once(3) ? [rig.request(singleRequest('/single', Buffer.alloc(random.below(100_000))))] : []
  return { rig, block, singles }
}

/** What nasty but legal servers write to such a client, as frames. */
function transcripts(random: Random, count: number): Buffer[][] {
  return Array.from({ length: count }, () => {
    const { rig } = start(random)
    const frames: Buffer[] = []
    const write = (bytes: Buffer): void => {
      for (const { type, flags, streamId, payload } of framesOf(bytes))
        frames.push(frame(type, flags, streamId, payload))
      rig.feed(bytes)
    }
    const temper = { ...nastyTemper, requestsMax: 20, noiseOnceIn: 6, bodyBytesMax: 300, streams: 100 }
    const peer = new NastyPeer(random, temper, new Ledger(), { write, end: () => rig.close() })
    for (let step = 0; step < 60 && rig.session.state !== 'ended'; step += 1) {
      peer.receive(rig.take())
      peer.step()
    }
    rig.close()
    return frames
  })
}

function randomFrame(random: Random): Buffer {
  const id = random.once(8) ? random.below(0xffff_ffff) : random.below(16)
  const bytes = frame(random.below(random.once(9) ? 256 : 10), random.below(256), id, randomBytes(random))
  if (random.once(12)) bytes.writeUIntBE(random.below(random.once(2) ? 0xff_ffff : 200), 0, 3)
  return bytes
}

function randomBytes(random: Random): Buffer {
  const length = random.of([0, 1, 4, 5, 6, 8, 12, 40, random.once(10) ? 16_384 : 20])
  return Buffer.from(
    Array.from({ length: Math.min(length, 40) }, () => random.below(256))
      .concat(new Array<number>(length).fill(0))
      .slice(0, length),
  )
}

/** Frames of a server, broken in some way. */
function broken(random: Random, legal: readonly Buffer[]): Buffer {
  const frames = [...legal]
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(frames.length + 1)
    const kind = random.below(7)
    const one = frames[at] ?? Buffer.alloc(0)
    if (kind === 0) frames.splice(at, 1)
    else if (kind === 1) frames.splice(at, 0, legal[random.below(legal.length)] ?? one)
    else if (kind === 2) frames[at] = Buffer.from(mutated(random, one))
    else if (kind === 3) frames.splice(at, 0, randomFrame(random))
    else if (kind === 4) frames.splice(at, 0, ...new Array<Buffer>(1 + random.below(40)).fill(one))
    else if (kind === 5) frames.length = at
    else {
      const changed = Buffer.from(one)
      if (changed.length >= 9) changed[random.of([0, 1, 2, 3, 4, 4, 8, 8])] = random.below(256)
      frames[at] = changed
    }
  }
  return Buffer.concat(frames)
}

function garbage(random: Random): Buffer {
  if (random.once(3)) return randomBytes(random)
  return Buffer.concat(Array.from({ length: 1 + random.below(8) }, () => randomFrame(random)))
}

/** What its owner may do to a session at any time. */
function meddle(random: Random, { rig, block }: Started): void {
  const kind = random.below(6)
  if (kind === 0) rig.session.expire(rig.nowMs)
  else if (kind === 1) rig.session.drain()
  else if (kind === 2) rig.session.tick()
  else if (kind === 3) block.cancel()
  else if (kind === 4) rig.scheduleLateFill()
  else rig.session.ping(Buffer.alloc(8))
}

function runInput(number: number, corpus: readonly (readonly Buffer[])[]): void {
  const random = new Random(seed + number)
  const started = start(random)
  const { rig, block, singles } = started
  const [greeting = Buffer.alloc(0), ...legal] = random.of(corpus)
  // Mostly the greeting is whole, so that requests are on the wire when the rest comes.
  if (!random.once(10)) rig.feed(greeting)
  const input = random.once(4) ? garbage(random) : broken(random, legal)
  const cut = random.below(input.length + 1)
  rig.feed(input.subarray(0, cut))
  if (rig.session.state !== 'ended' && random.once(6)) meddle(random, started)
  rig.feed(input.subarray(cut))
  if (rig.error !== undefined) {
    assert.equal(rig.error.code, 'protocol')
    assert.ok(errorCodes.has(rig.error.h2Code))
  }
  rig.close()
  assert.equal(block.open, 0)
  assert.ok(singles.every(({ settled }) => settled))
  const written = rig.takeFrames()
  assert.equal(written.filter(({ type }) => type === FrameType.goaway).length, 1)
  assert.equal(written.at(-1)?.type, FrameType.goaway)
}

test(`${INPUTS} broken streams of frames: no crash, no hang, no growth, one end for each request`, async () => {
  const corpus = transcripts(new Random(seed), 100)
  let number = 0
  const runBatch = (): void => {
    for (const end = number + BATCH_INPUTS; number < end; number += 1) runInput(number, corpus)
  }
  Object.assign(globalThis, { runBatch })
  let before = 0
  try {
    while (number < INPUTS) {
      // The watch ends even a loop without an end.
      runInThisContext('runBatch()', { timeout: BATCH_MS_MAX })
      if (number === 10 * BATCH_INPUTS) before = await usedBytes()
    }
  } catch (cause) {
    throw new Error(`SEED=${seed}, input ${number}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  const growthBytes = (await usedBytes()) - before
  assert.ok(growthBytes < GROWTH_BYTES_MAX, `SEED=${seed}: ${growthBytes} bytes more`)
})
