import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode, Flag, FrameType, Setting } from './protocol/constants.ts'
import { OutcomeCode } from './request/outcome.ts'
import {
  dataFrame,
  frame,
  goawayFrame,
  headersFrame,
  pingFrame,
  resetFrame,
  settingsFrame,
  uint32,
  windowUpdateFrame,
} from './testing/frame-writer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'
import { SessionRig } from './testing/session-rig.ts'

const { protocolError, flowControlError, streamClosed, frameSizeError, compressionError } = ErrorCode
const { data, headers, priority, rstStream, settings, pushPromise, ping, goaway, windowUpdate, continuation } =
  FrameType
const ok = literals('200')
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values)
const block = (...values: readonly number[]): Buffer => headersFrame(1, bytes(...values), true)
const openBlock = frame(headers, 0, 1, ok)

/** What the peer sends with the streams 1, 3 and 5 open, and the code that it must get. */
const violations: readonly (readonly [name: string, code: number, sent: Uint8Array])[] = [
  ['DATA on stream 0', protocolError, dataFrame(0, ok, true)],
  ['DATA on a stream that is idle', protocolError, dataFrame(99, ok, true)],
  ['DATA after END_STREAM', streamClosed, Buffer.concat([plainAnswer(1), dataFrame(1, ok, true)])],
  ['DATA shorter than its padding', protocolError, frame(data, Flag.padded, 1, bytes(4, 0, 0, 0))],
  ['DATA without its length of padding', protocolError, frame(data, Flag.padded, 1)],
  ['HEADERS on stream 0', protocolError, plainAnswer(0)],
  ['an open header block on stream 0', protocolError, frame(headers, 0, 0, ok)],
  ['HEADERS on an even stream', protocolError, plainAnswer(2)],
  ['HEADERS on a stream that is idle', protocolError, plainAnswer(99)],
  ['HEADERS after END_STREAM', streamClosed, Buffer.concat([plainAnswer(1), plainAnswer(1)])],
  ['HEADERS shorter than its padding', protocolError, frame(headers, Flag.padded | Flag.endHeaders, 1, bytes(9, 0x88))],
  [
    'HEADERS shorter than its priority',
    frameSizeError,
    frame(headers, Flag.priority | Flag.endHeaders, 1, bytes(0, 0)),
  ],
  ['HEADERS within a header block', protocolError, Buffer.concat([openBlock, plainAnswer(3)])],
  ['PRIORITY on stream 0', protocolError, frame(priority, 0, 0, Buffer.alloc(5))],
  ['PRIORITY of four bytes', frameSizeError, frame(priority, 0, 1, Buffer.alloc(4))],
  ['RST_STREAM on stream 0', protocolError, resetFrame(0, 8)],
  ['RST_STREAM on a stream that is idle', protocolError, resetFrame(99, 8)],
  ['RST_STREAM of three bytes', frameSizeError, frame(rstStream, 0, 1, Buffer.alloc(3))],
  ['SETTINGS on a stream', protocolError, frame(settings, 0, 1)],
  ['SETTINGS of five bytes', frameSizeError, frame(settings, 0, 0, Buffer.alloc(5))],
  ['SETTINGS with ACK and a payload', frameSizeError, frame(settings, Flag.ack, 0, Buffer.alloc(6))],
  ['ENABLE_PUSH 1', protocolError, settingsFrame([[Setting.enablePush, 1]])],
  ['ENABLE_PUSH 2', protocolError, settingsFrame([[Setting.enablePush, 2]])],
  ['INITIAL_WINDOW_SIZE of 2^31', flowControlError, settingsFrame([[Setting.initialWindowSize, 2 ** 31]])],
  ['MAX_FRAME_SIZE below the least', protocolError, settingsFrame([[Setting.maxFrameSize, 16_383]])],
  ['MAX_FRAME_SIZE above the most', protocolError, settingsFrame([[Setting.maxFrameSize, 2 ** 24]])],
  [
    'INITIAL_WINDOW_SIZE that overflows a stream',
    flowControlError,
    Buffer.concat([windowUpdateFrame(1, 1_000), settingsFrame([[Setting.initialWindowSize, 2 ** 31 - 1]])]),
  ],
  ['PUSH_PROMISE', protocolError, frame(pushPromise, Flag.endHeaders, 1, Buffer.concat([uint32(2), ok]))],
  ['PING on a stream', protocolError, frame(ping, 0, 1, Buffer.alloc(8))],
  ['PING of seven bytes', frameSizeError, frame(ping, 0, 0, Buffer.alloc(7))],
  ['GOAWAY on a stream', protocolError, frame(goaway, 0, 1, Buffer.alloc(8))],
  ['GOAWAY of seven bytes', frameSizeError, frame(goaway, 0, 0, Buffer.alloc(7))],
  ['GOAWAY with a growing id', protocolError, Buffer.concat([goawayFrame(3, 0), goawayFrame(5, 0)])],
  ['WINDOW_UPDATE of 0', protocolError, windowUpdateFrame(0, 0)],
  ['WINDOW_UPDATE of three bytes', frameSizeError, frame(windowUpdate, 0, 0, Buffer.alloc(3))],
  ['WINDOW_UPDATE on a stream that is idle', protocolError, windowUpdateFrame(99, 1)],
  ['WINDOW_UPDATE that overflows the connection', flowControlError, windowUpdateFrame(0, 2 ** 31 - 1)],
  ['CONTINUATION out of place', protocolError, frame(continuation, Flag.endHeaders, 1, ok)],
  [
    'CONTINUATION after the end of its block',
    protocolError,
    Buffer.concat([headersFrame(1, ok, false), frame(continuation, Flag.endHeaders, 1, ok)]),
  ],
  [
    'CONTINUATION of another stream',
    protocolError,
    Buffer.concat([openBlock, frame(continuation, Flag.endHeaders, 3)]),
  ],
  ['DATA within a header block', protocolError, Buffer.concat([openBlock, dataFrame(1, ok, false)])],
  ['PING within a header block', protocolError, Buffer.concat([openBlock, pingFrame(Buffer.alloc(8))])],
  ['an unknown frame within a header block', protocolError, Buffer.concat([openBlock, frame(77, 0, 0)])],
  ['a frame that is too large', frameSizeError, frame(data, 0, 1, Buffer.alloc(16_385))],
  ['the same of an unknown type', frameSizeError, frame(77, 0, 0, Buffer.alloc(16_385))],
  ['HPACK index 0', compressionError, block(0x80)],
  ['an HPACK index behind the table', compressionError, block(0x88, 0xbe)],
  ['an HPACK literal without an end', compressionError, block(0x88, 0x40, 0x0a, 0x61)],
  ['an HPACK table larger than allowed', compressionError, block(0x3f, 0xe2, 0x1f, 0x88)],
  ['an HPACK table size inside a block', compressionError, block(0x88, 0x20)],
  ['an HPACK integer without an end', compressionError, block(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ['Huffman padding with a zero', compressionError, block(0x88, 0x00, 0x01, 0x61, 0x81, 0x18)],
  [
    'HPACK index 0 on a stream that we have reset',
    compressionError,
    Buffer.concat([dataFrame(1, ok, false), block(0x80)]),
  ],
  ['an HTTP/1.1 response', frameSizeError, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
]

describe('a violation by the peer ends the connection with the right code', () => {
  for (const [name, code, sent] of violations) {
    test(name, () => {
      const { rig, block: requests } = opened(3)
      rig.feed(sent)
      const { error } = rig
      assert.equal(error?.code, 'protocol', `${error}`)
      assert.equal(error.h2Code, code, error.message)
      const last = rig.takeFrames().at(-1)
      assert.deepEqual([last?.type, last?.payload.readUInt32BE(4)], [goaway, code])
      const above = name.startsWith('GOAWAY with a growing id') ? [OutcomeCode.pending] : [OutcomeCode.unknown]
      assert.deepEqual([...requests.outcomes].slice(2), above)
      rig.feed(plainAnswer(3))
      rig.close()
      assert.equal(requests.open, 0)
      assert.equal(rig.take().length, 0, 'nothing is written after GOAWAY')
    })
  }

  test('what comes after the end is not looked at', () => {
    const { rig } = opened(3)
    rig.close()
    rig.take()
    rig.feed(Buffer.concat([plainAnswer(1), pingFrame(Buffer.alloc(8)), goawayFrame(1, 0), plainAnswer(99)]))
    assert.equal(rig.error, undefined)
    assert.deepEqual([rig.take().length, rig.events.length, rig.session.state], [0, 1, 'ended'])
  })

  test('a first frame that is not SETTINGS', () => {
    for (const first of [pingFrame(Buffer.alloc(8)), frame(settings, Flag.ack, 0), plainAnswer(1)]) {
      const rig = new SessionRig()
      rig.feed(first)
      assert.deepEqual([rig.error?.code, rig.error?.h2Code], ['protocol', protocolError])
      assert.equal(rig.takeFrames().at(-1)?.type, goaway)
    }
  })
})
