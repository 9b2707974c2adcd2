import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FrameType, Setting } from './protocol/constants.ts'
import { OutcomeCode } from './request/outcome.ts'
import {
  dataFrame,
  goawayFrame,
  headersFrame,
  plainSettings,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
} from './testing/frame-writer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'
import { pushBlock, pushTemplate } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const template = pushTemplate()
const ok = literals('200')

function limit(streams: number): Buffer {
  return settingsFrame([[Setting.maxConcurrentStreams, streams]])
}

/** Streams that the session has opened since the last look. */
function openedStreams(rig: SessionRig): number[] {
  return rig
    .takeFrames()
    .filter(({ type }) => type === FrameType.headers)
    .map(({ streamId }) => streamId)
}

describe('the stream limit', () => {
  test('may fall from 1000 to 1 and rise again: nothing is opened above it, and nothing fails', () => {
    const { rig, block } = opened(1_000)
    rig.feed(limit(1))
    const more = pushBlock(template, 1_000, 1_500)
    rig.submit(more)
    for (let id = 1; id < 1_999; id += 2) rig.feed(plainAnswer(id))
    assert.deepEqual(openedStreams(rig), [], 'one of the first is still open')
    rig.feed(plainAnswer(1_999))
    assert.deepEqual(openedStreams(rig), [2_001])
    assert.equal(block.open, 0)
    rig.feed(plainAnswer(2_001))
    assert.deepEqual(openedStreams(rig), [2_003])
    rig.feed(limit(1_000))
    assert.equal(openedStreams(rig).length, 999)
    assert.equal(rig.session.live, 1_000)
    for (let id = 2_003; id < 5_001; id += 2) rig.feed(plainAnswer(id))
    assert.ok(more.outcomes.every((outcome) => outcome === OutcomeCode.response))
  })

  test('of 0 opens nothing until it rises', () => {
    const { rig } = opened(10, { settings: [[Setting.maxConcurrentStreams, 0]] })
    assert.equal(rig.session.live, 0)
    rig.feed(limit(4))
    assert.deepEqual(openedStreams(rig), [1, 3, 5, 7])
  })

  test('counts a stream until its end was seen', () => {
    const { rig } = opened(3, { settings: [[Setting.maxConcurrentStreams, 1]] })
    rig.feed(Buffer.concat([headersFrame(1, ok, false), dataFrame(1, ok, false)]))
    assert.deepEqual(openedStreams(rig), [])
    rig.feed(dataFrame(1, Buffer.alloc(0), true))
    assert.deepEqual(openedStreams(rig), [3])
    rig.feed(resetFrame(3, 8))
    assert.deepEqual(openedStreams(rig), [5])
  })

  test('of the peer is no more than ours', () => {
    const { rig } = opened(20, { settings: [], session: { streamsMax: 7 } })
    assert.equal(rig.session.live, 7)
  })

  test('is one before the first 2xx where a token authenticates', () => {
    const { rig } = opened(20, { session: { probeFirst: true } })
    assert.equal(rig.session.live, 1)
    rig.feed(headersFrame(1, literals('403'), true))
    assert.deepEqual(openedStreams(rig), [3])
    rig.feed(plainAnswer(3))
    assert.equal(openedStreams(rig).length, 18)
  })
})

test('nothing is opened before the first SETTINGS', () => {
  const rig = new SessionRig()
  rig.submit(pushBlock(template, 0, 5))
  assert.deepEqual(openedStreams(rig), [])
  rig.feed(plainSettings)
  assert.deepEqual(openedStreams(rig), [1, 3, 5, 7, 9])
})

test('a request that was about to go when GOAWAY came stays in the queue', () => {
  const { rig } = opened(1)
  const block = pushBlock(template, 1, 10)
  rig.source.addBlock(block)
  rig.scheduleFill()
  rig.feed(goawayFrame(1, 0))
  assert.deepEqual(openedStreams(rig), [])
  assert.equal(block.unsent, 10)
})

test('when the stream ids are used up, the connection is drained and the rest waits for another', () => {
  const { rig, block } = opened(30, { session: { streamIdMax: 41 } })
  assert.equal(rig.session.live, 21)
  for (let id = 1; id <= 41; id += 2) {
    assert.equal(rig.drained, false)
    rig.feed(plainAnswer(id))
  }
  assert.equal(rig.drained, true)
  assert.equal(block.open, 9)
  assert.equal(block.unsent, 9)
})

test('a stream that hangs while 70,000 others pass is answered as itself', () => {
  const { rig, block } = opened(1)
  for (let round = 0; round < 70; round += 1) {
    const others = pushBlock(template, 1 + round * 1_000, 1_000)
    rig.submit(others)
    rig.feed(windowUpdateFrame(0, 2_000))
    for (let fill = 0; fill < 4; fill += 1) rig.feed(Buffer.concat(openedStreams(rig).map((id) => plainAnswer(id))))
    assert.ok(others.outcomes.every((outcome) => outcome === OutcomeCode.response))
  }
  assert.equal(block.open, 1)
  rig.feed(plainAnswer(1, 'AT-LAST'))
  assert.equal(block.capturedText(0), 'AT-LAST')
})
