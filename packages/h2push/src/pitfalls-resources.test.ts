import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WorkQueue } from './pool/work-queue.ts'
import { FrameType } from './protocol/constants.ts'
import { OutcomeCode } from './request/outcome.ts'
import { SingleRequest } from './request/single.ts'
import type { ReceivedFrame } from './testing/frame-cutter.ts'
import { pingFrame, plainSettings, resetFrame, settingsAckFrame, windowUpdateFrame } from './testing/frame-writer.ts'
import { usedBytes } from './testing/heap.ts'
import { plainAnswer } from './testing/opened.ts'
import { pushBlock, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const full = process.env['STAMPEDE_FULL'] === '1'
const BLOCK_REQUESTS = 10_000
const BLOCKS = full ? 1_000 : 40
/** What the heap may grow by, whatever the number of requests. */
const GROWTH_BYTES_MAX = 8 * 1_048_576
const template = pushTemplate()
const nothing = Buffer.alloc(0)

function ready(): SessionRig {
  const rig = new SessionRig()
  rig.feed(Buffer.concat([plainSettings, settingsAckFrame]))
  rig.take()
  return rig
}

function streamsOf(frames: readonly ReceivedFrame[]): number[] {
  return frames.filter(({ type }) => type === FrameType.headers).map(({ streamId }) => streamId)
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
}

describe('memory', () => {
  test(`is flat over ${BLOCKS * BLOCK_REQUESTS} answered requests`, async () => {
    const rig = ready()
    let before = 0
    for (let number = 0; number < BLOCKS; number += 1) {
      const block = pushBlock(template, number * BLOCK_REQUESTS, BLOCK_REQUESTS)
      rig.submit(block)
      rig.feed(windowUpdateFrame(0, 2 * BLOCK_REQUESTS))
      for (let fill = 0; fill < 100 && block.open > 0; fill += 1)
        rig.feed(Buffer.concat(streamsOf(rig.takeFrames()).map((id) => plainAnswer(id))))
      assert.equal(block.open, 0)
      rig.session.tick()
      if (number === 3) before = await usedBytes()
    }
    const growthBytes = (await usedBytes()) - before
    assert.ok(growthBytes < GROWTH_BYTES_MAX, `${growthBytes} bytes more`)
  })

  test('is flat with a server that refuses everything for long', async () => {
    const rig = ready()
    let before = 0
    let refused = 0
    for (let number = 0; number < BLOCKS; number += 1) {
      const block = pushBlock(template, 0, 500)
      rig.submit(block)
      rig.feed(windowUpdateFrame(0, 40_000))
      for (let round = 0; round < 100 && block.open > 0; round += 1) {
        const streams = streamsOf(rig.takeFrames())
        refused += streams.length
        rig.feed(Buffer.concat(streams.map((id) => resetFrame(id, 7))))
        rig.session.tick()
      }
      assert.ok(block.outcomes.every((outcome) => outcome === OutcomeCode.notProcessed))
      if (number === 3) before = await usedBytes()
    }
    assert.equal(refused, BLOCKS * 500 * 17)
    const growthBytes = (await usedBytes()) - before
    assert.ok(growthBytes < GROWTH_BYTES_MAX, `${growthBytes} bytes more`)
  })

  test('is flat while a server cannot be reached and single requests keep timing out', async () => {
    const queue = new WorkQueue(100_000)
    const add = (): SingleRequest =>
      queue.addSingle(() => new SingleRequest(singleRequest('/x', Buffer.alloc(1_000)), 'localhost', 60_000))
    const waiting = add()
    const before = await usedBytes()
    for (let number = 0; number < BLOCKS * 5_000; number += 1)
      add().settle({ kind: 'ended', reason: 'deadline', sent: false })
    const growthBytes = (await usedBytes()) - before
    assert.ok(growthBytes < GROWTH_BYTES_MAX, `${growthBytes} bytes more`)
    assert.ok(queue.queued < 2_100, `${queue.queued} seem to wait`)
    assert.equal(queue.single(), waiting)
    waiting.settle({ kind: 'ended', reason: 'cancelled', sent: false })
    queue.sweep(0)
    assert.equal(queue.queued, 0)
  })
})

describe('write buffers', () => {
  test('on their way are few, and none is used again before its bytes were taken', () => {
    const rig = ready()
    rig.releasesAtOnce = false
    const block = pushBlock(pushTemplate({ body: nothing }), 0, 20_000)
    rig.submit(block)
    let answered = 0
    for (let turn = 0; turn < 400 && block.open > 0; turn += 1) {
      assert.ok(rig.buffersOnWay <= 4)
      const streams = streamsOf(rig.takeFrames())
      answered += streams.length
      rig.feed(Buffer.concat(streams.map((id) => plainAnswer(id))))
      rig.scheduleFill()
      rig.turn()
      if (turn % 3 === 0) rig.release()
    }
    assert.equal(answered, 20_000)
    assert.equal(block.open, 0)
  })

  test('that are all on their way do not keep PINGs from being answered', () => {
    const rig = ready()
    rig.releasesAtOnce = false
    rig.submit(pushBlock(pushTemplate({ headers: [['x', 'y'.repeat(5_000)]] }), 0, 500))
    for (let turn = 0; turn < 10; turn += 1) {
      rig.scheduleFill()
      rig.turn()
    }
    assert.equal(rig.buffersOnWay, 4)
    rig.take()
    const payload = Buffer.from('12345678')
    rig.feed(pingFrame(payload))
    assert.deepEqual(
      rig.takeFrames().map(({ type, flags, payload: echoed }) => [type, flags, echoed.toString()]),
      [[FrameType.ping, 1, '12345678']],
    )
    rig.close()
  })
})

test('no request of a block has a timer of its own', () => {
  const rig = ready()
  const before = timers()
  rig.submit(pushBlock(template, 0, 50_000))
  assert.equal(timers(), before)
  rig.close()
})

test('a single request has a timer until it ends, and none when a full queue refuses it', async () => {
  const before = timers()
  const rig = ready()
  const single = rig.request(singleRequest('/x', nothing))
  assert.equal(timers(), before + 1)
  rig.feed(plainAnswer(1))
  await single.outcome
  assert.equal(timers(), before)
  const queue = new WorkQueue(1)
  const add = (): SingleRequest => queue.addSingle(() => new SingleRequest(singleRequest('/x', nothing), 'x', 60_000))
  const first = add()
  assert.throws(add, { code: 'queue_full' })
  assert.equal(timers(), before + 1)
  first.settle({ kind: 'ended', reason: 'cancelled', sent: false })
})
