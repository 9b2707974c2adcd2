import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode, Flag, FrameType, Setting } from './protocol/constants.ts'
import { OutcomeCode } from './request/outcome.ts'
import {
  dataFrame,
  frame,
  headersFrame,
  pingFrame,
  resetFrame,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from './testing/frame-writer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'

const ok = literals('200')
/** Frames of a flood: more than any peer has reason to send in a second. */
const FLOOD_FRAMES = 30_000
const nothing = Buffer.alloc(0)

/** What opens the flood, and what is repeated. */
const floods: readonly (readonly [name: string, first: Uint8Array, repeated: Uint8Array])[] = [
  ['PING', nothing, pingFrame(Buffer.alloc(8))],
  ['answers to PINGs that were never sent', nothing, pingFrame(Buffer.alloc(8), true)],
  ['SETTINGS', nothing, settingsFrame([[Setting.maxConcurrentStreams, 100]])],
  ['empty SETTINGS', nothing, settingsFrame()],
  ['acknowledgements of SETTINGS', nothing, settingsAckFrame],
  ['empty DATA', headersFrame(1, ok, false), dataFrame(1, nothing, false)],
  [
    'DATA of nothing but padding',
    headersFrame(1, ok, false),
    frame(FrameType.data, Flag.padded, 1, Buffer.of(3, 0, 0, 0)),
  ],
  ['PRIORITY', nothing, frame(FrameType.priority, 0, 1, Buffer.alloc(5))],
  ['frames of an unknown type', nothing, frame(77, 0, 0, Buffer.alloc(1))],
  ['WINDOW_UPDATE', nothing, windowUpdateFrame(0, 1)],
  ['WINDOW_UPDATE of a stream', nothing, windowUpdateFrame(1, 1)],
  ['RST_STREAM of a stream that has ended', plainAnswer(1), resetFrame(1, 8)],
  ['interim responses', nothing, headersFrame(1, literals('103'), false)],
  ['CONTINUATION', frame(FrameType.headers, 0, 1, ok), frame(FrameType.continuation, 0, 1, Buffer.alloc(100, 0x88))],
  ['empty CONTINUATION', frame(FrameType.headers, 0, 1, ok), frame(FrameType.continuation, 0, 1)],
  [
    'large CONTINUATION',
    frame(FrameType.headers, 0, 1, ok),
    frame(FrameType.continuation, 0, 1, Buffer.alloc(16_384, 0x88)),
  ],
]

describe('a flood ends the connection before it costs much', () => {
  for (const [name, first, repeated] of floods) {
    test(name, () => {
      const { rig, block } = opened(2)
      rig.feed(first)
      const wave = Buffer.concat(new Array<Uint8Array>(100).fill(repeated))
      let writtenBytes = 0
      for (let sent = 0; sent < FLOOD_FRAMES && rig.error === undefined; sent += 100) {
        rig.feed(wave)
        writtenBytes += rig.take().length
      }
      assert.deepEqual([rig.error?.code, rig.error?.h2Code], ['protocol', ErrorCode.enhanceYourCalm])
      assert.ok(writtenBytes < 1_000_000, `${writtenBytes} bytes were written`)
      assert.equal(block.outcomes[1], OutcomeCode.unknown)
    })
  }
})

describe('what is no flood', () => {
  const noise = Buffer.concat([pingFrame(Buffer.alloc(8)), windowUpdateFrame(0, 1)])

  test('such frames between answers', () => {
    const { rig, block } = opened(1_000)
    const answers = Array.from({ length: 1_000 }, (_, index) => plainAnswer(1 + index * 2))
    for (const answer of answers) rig.feed(Buffer.concat([answer, ...new Array<Buffer>(50).fill(noise)]))
    assert.equal(rig.error, undefined)
    assert.equal(block.open, 0)
  })

  test('such frames between answers whose end is in a DATA frame', () => {
    const { rig, block } = opened(1_000)
    for (let id = 1; id < 2_000; id += 2)
      rig.feed(
        Buffer.concat([headersFrame(id, ok, false), dataFrame(id, ok, true), ...new Array<Buffer>(50).fill(noise)]),
      )
    assert.equal(rig.error, undefined)
    assert.equal(block.open, 0)
  })

  test('many such frames over a long time', () => {
    const { rig } = opened(1)
    for (let second = 0; second < 20; second += 1) {
      rig.feed(Buffer.concat(new Array<Buffer>(3_000).fill(noise)))
      rig.session.tick()
    }
    assert.equal(rig.error, undefined)
  })
})
