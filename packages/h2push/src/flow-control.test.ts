import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Flag, FrameType, Setting } from './protocol/constants.ts'
import { OutcomeCode } from './request/outcome.ts'
import type { ReceivedFrame } from './testing/frame-cutter.ts'
import {
  dataFrame,
  frame,
  headersFrame,
  plainSettings,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
  withPadding,
} from './testing/frame-writer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'
import { pushBlock, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const ok = literals('200')

function ofType(frames: readonly ReceivedFrame[], wanted: number): ReceivedFrame[] {
  return frames.filter(({ type }) => type === wanted)
}

/** Bytes of DATA that were written on a stream, or on all. */
function dataBytes(frames: readonly ReceivedFrame[], streamId?: number): number {
  return ofType(frames, FrameType.data)
    .filter((frame) => streamId === undefined || frame.streamId === streamId)
    .reduce((sum, { payload }) => sum + payload.length, 0)
}

function initialWindow(bytes: number): Buffer {
  return settingsFrame([[Setting.initialWindowSize, bytes]])
}

function ready(settings = plainSettings): SessionRig {
  const rig = new SessionRig()
  rig.feed(settings)
  rig.take()
  return rig
}

describe('what we send', () => {
  test('stops at the window of the connection and goes on with a WINDOW_UPDATE: 1.5 KB in 1,000 requests', () => {
    const rig = ready()
    const block = pushBlock(pushTemplate({ body: Buffer.alloc(1_500, 'x') }), 0, 1_000)
    rig.submit(block)
    let frames = rig.takeFrames()
    assert.equal(dataBytes(frames), 43 * 1_500)
    assert.equal(ofType(frames, FrameType.headers).length, 43, 'no request is opened whose body must wait')
    for (const { streamId } of ofType(frames, FrameType.headers)) rig.feed(plainAnswer(streamId))
    assert.equal(dataBytes(rig.takeFrames()), 0)
    rig.feed(windowUpdateFrame(0, 3_000_000))
    frames = rig.takeFrames()
    assert.equal(dataBytes(frames), 957 * 1_500)
    for (const { streamId } of ofType(frames, FrameType.headers)) rig.feed(plainAnswer(streamId))
    assert.equal(block.open, 0)
  })

  test('counts a window that was left over to the last byte', () => {
    const rig = ready()
    rig.submit(pushBlock(pushTemplate({ body: Buffer.alloc(6_000, 'x') }), 0, 20))
    assert.equal(dataBytes(rig.takeFrames()), 60_000)
    rig.feed(windowUpdateFrame(0, 464))
    assert.equal(dataBytes(rig.takeFrames()), 0)
    rig.feed(windowUpdateFrame(0, 1))
    assert.equal(dataBytes(rig.takeFrames()), 6_000)
  })

  test('goes without its body while the window of streams is 0, and the body follows', () => {
    const rig = ready(initialWindow(0))
    const block = pushBlock(pushTemplate(), 0, 3)
    rig.submit(block)
    const frames = rig.takeFrames()
    assert.equal(ofType(frames, FrameType.headers).length, 3)
    assert.equal(dataBytes(frames), 0)
    rig.feed(windowUpdateFrame(3, 1))
    assert.equal(dataBytes(rig.takeFrames(), 3), 1)
    rig.feed(initialWindow(1))
    const second = rig.takeFrames()
    assert.deepEqual(
      [1, 3, 5].map((id) => dataBytes(second, id)),
      [1, 1, 1],
    )
    rig.feed(initialWindow(2))
    rig.feed(Buffer.concat([plainAnswer(1), plainAnswer(3), plainAnswer(5)]))
    assert.ok(block.outcomes.every((outcome) => outcome === OutcomeCode.response))
  })

  test('follows a window that shrinks below zero and comes back', async () => {
    const rig = ready()
    const single = rig.request(singleRequest('/large', Buffer.alloc(200_000, 'x')))
    assert.equal(dataBytes(rig.takeFrames()), 65_535)
    rig.feed(windowUpdateFrame(0, 1_000_000))
    // 65,535 bytes were sent: the window is now 65,535 below zero.
    rig.feed(initialWindow(0))
    rig.feed(windowUpdateFrame(1, 65_535))
    assert.equal(dataBytes(rig.takeFrames()), 0)
    rig.feed(windowUpdateFrame(1, 10))
    assert.equal(dataBytes(rig.takeFrames()), 10)
    rig.feed(initialWindow(100))
    assert.equal(dataBytes(rig.takeFrames()), 100)
    rig.feed(initialWindow(1_000_000))
    const rest = rig.takeFrames()
    assert.equal(dataBytes(rest), 200_000 - 65_535 - 110)
    assert.equal(ofType(rest, FrameType.data).at(-1)?.flags, 1)
    rig.feed(plainAnswer(1))
    assert.equal((await single.outcome).kind, 'response')
  })

  test('uses larger frames once the peer takes them', () => {
    const rig = ready(settingsFrame([[Setting.maxFrameSize, 40_000]]))
    rig.request(singleRequest('/large', Buffer.alloc(60_000, 'x')))
    assert.deepEqual(
      ofType(rig.takeFrames(), FrameType.data).map(({ payload }) => payload.length),
      [40_000, 20_000],
    )
    rig.close()
  })

  test('waits while much is before the socket', () => {
    const rig = ready(settingsFrame([[Setting.initialWindowSize, 0x7fff_ffff]]))
    rig.feed(windowUpdateFrame(0, 1_000_000_000))
    rig.backlogBytes = 10_000_000
    for (let count = 0; count < 10; count += 1) rig.request(singleRequest(`/${count}`, Buffer.alloc(1_000_000)))
    assert.equal(dataBytes(rig.takeFrames()), 0)
    rig.backlogBytes = 0
    rig.scheduleFill()
    rig.turn()
    assert.equal(dataBytes(rig.takeFrames()), 10_000_000)
    rig.close()
  })

  test('is no longer sent for a request that was answered early: the stream is reset without an error', async () => {
    const rig = ready()
    const single = rig.request(singleRequest('/large', Buffer.alloc(200_000, 'x')))
    rig.take()
    rig.feed(headersFrame(1, literals('413'), true))
    const outcome = await single.outcome
    assert.equal(outcome.kind === 'response' && outcome.status, 413)
    assert.deepEqual(
      rig.takeFrames().map(({ type, payload }) => [type, payload.readUInt32BE()]),
      [[FrameType.rstStream, 0]],
    )
    rig.feed(Buffer.concat([resetFrame(1, 0), windowUpdateFrame(1, 100_000), windowUpdateFrame(0, 1_000_000)]))
    assert.equal(dataBytes(rig.takeFrames()), 0)
    assert.equal(rig.error, undefined)
  })
})

describe('what we receive', () => {
  test('is given back to the windows of the stream and of the connection, padding included', () => {
    const { rig, block } = opened(1, { session: { bodyBytesMax: 50_000_000 } })
    rig.feed(headersFrame(1, ok, false))
    let receivedBytes = 0
    let streamBytes = 0
    let connectionBytes = 0
    for (let count = 0; count < 2_000; count += 1) {
      rig.feed(frame(FrameType.data, Flag.padded, 1, withPadding(Buffer.alloc(16_128, 'x'), 255)))
      receivedBytes += 16_384
      for (const { streamId, payload } of ofType(rig.takeFrames(), FrameType.windowUpdate)) {
        if (streamId === 0) connectionBytes += payload.readUInt32BE()
        else streamBytes += payload.readUInt32BE()
      }
      assert.ok(receivedBytes - streamBytes < 131_072 + 16_384, 'half of the window of a stream is always free')
      assert.ok(receivedBytes - connectionBytes < 2_097_152 + 16_384, 'half of that of the connection too')
    }
    rig.feed(dataFrame(1, Buffer.alloc(0), true))
    assert.equal(block.response(0)?.body.length, 2_000 * 16_128)
  })

  test('is given back to the connection also for streams that nobody waits for', () => {
    const { rig } = opened(1)
    rig.feed(dataFrame(1, ok, false))
    rig.take()
    for (let count = 0; count < 200; count += 1) rig.feed(dataFrame(1, Buffer.alloc(16_384), false))
    const updates = ofType(rig.takeFrames(), FrameType.windowUpdate)
    assert.deepEqual(
      updates.map(({ streamId }) => streamId),
      [0],
    )
  })

  test('is cut off at the longest body that is kept: the stream is reset, the rest is told to be missing', () => {
    const { rig, block } = opened(2, { session: { bodyBytesMax: 20_000 } })
    rig.feed(headersFrame(1, ok, false))
    for (let count = 0; count < 100; count += 1) rig.feed(dataFrame(1, Buffer.alloc(16_384, 'x'), false))
    const response = block.response(0)
    assert.deepEqual([response?.truncated, response?.body.length, response?.status], [true, 20_000, 200])
    assert.deepEqual(
      ofType(rig.takeFrames(), FrameType.rstStream).map(({ streamId, payload }) => [streamId, payload.readUInt32BE()]),
      [[1, 8]],
    )
    rig.feed(plainAnswer(3))
    assert.equal(block.open, 0)
  })

  test('may be exactly as long as the longest body that is kept', () => {
    const { rig, block } = opened(1, { session: { bodyBytesMax: 100 } })
    rig.feed(Buffer.concat([headersFrame(1, ok, false), dataFrame(1, Buffer.alloc(100), true)]))
    assert.deepEqual([block.response(0)?.truncated, block.response(0)?.body.length], [false, 100])
  })
})
