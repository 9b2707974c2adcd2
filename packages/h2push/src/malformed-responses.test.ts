import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HpackEncoder } from './hpack/encoder.ts'
import { encodeBlock } from './hpack/testing/headers.ts'
import { ErrorCode, FrameType } from './protocol/constants.ts'
import { type Header, OutcomeCode } from './request/outcome.ts'
import { dataFrame, headersFrame, windowUpdateFrame } from './testing/frame-writer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'

const { protocolError, flowControlError } = ErrorCode
const ok = literals('200')

function answer(headers: readonly Header[], endStream = true): Buffer {
  return headersFrame(1, encodeBlock(new HpackEncoder(), headers, 'literal'), endStream)
}

function trailers(headers: readonly Header[], endStream = true): Buffer {
  return Buffer.concat([headersFrame(1, ok, false), answer(headers, endStream)])
}

/** What the peer sends on stream 1, and the code with which the stream is reset. */
const malformed: readonly (readonly [name: string, code: number, sent: Uint8Array])[] = [
  ['no :status', protocolError, answer([['apns-id', 'X']])],
  ['no header at all', protocolError, answer([])],
  ['a :status of letters', protocolError, answer([[':status', 'abc']])],
  ['a :status of two digits', protocolError, answer([[':status', '20']])],
  ['a :status of four digits', protocolError, answer([[':status', '2000']])],
  ['a :status below 100', protocolError, answer([[':status', '099']])],
  [
    'two :status',
    protocolError,
    answer([
      [':status', '200'],
      [':status', '200'],
    ]),
  ],
  [
    'a :status after other headers',
    protocolError,
    answer([
      ['a', 'b'],
      [':status', '200'],
    ]),
  ],
  [
    'an unknown pseudo header',
    protocolError,
    answer([
      [':status', '200'],
      [':what', 'x'],
    ]),
  ],
  [
    'a pseudo header of requests',
    protocolError,
    answer([
      [':status', '200'],
      [':path', '/'],
    ]),
  ],
  [
    'a name in upper case',
    protocolError,
    answer([
      [':status', '200'],
      ['Apns-Id', 'X'],
    ]),
  ],
  [
    'a name with a space',
    protocolError,
    answer([
      [':status', '200'],
      ['apns id', 'X'],
    ]),
  ],
  [
    'an empty name',
    protocolError,
    answer([
      [':status', '200'],
      ['', 'X'],
    ]),
  ],
  [
    'a header of HTTP/1.1',
    protocolError,
    answer([
      [':status', '400'],
      ['transfer-encoding', 'chunked'],
    ]),
  ],
  [
    'a line break in a value',
    protocolError,
    answer([
      [':status', '400'],
      ['x', 'a\r\nb'],
    ]),
  ],
  [
    'a zero in a value',
    protocolError,
    answer([
      [':status', '400'],
      ['x', 'a\0b'],
    ]),
  ],
  [
    'a value that begins with a space',
    protocolError,
    answer([
      [':status', '400'],
      ['x', ' a'],
    ]),
  ],
  [
    'a header list longer than allowed',
    protocolError,
    answer([
      [':status', '400'],
      ['x', 'a'.repeat(16_350)],
    ]),
  ],
  ['DATA before headers', protocolError, dataFrame(1, ok, true)],
  [
    'DATA after interim headers',
    protocolError,
    Buffer.concat([answer([[':status', '103']], false), dataFrame(1, ok, true)]),
  ],
  ['interim headers that end the stream', protocolError, answer([[':status', '103']])],
  ['a switch of protocols', protocolError, answer([[':status', '101']], false)],
  ['trailers that do not end the stream', protocolError, trailers([['a', 'b']], false)],
  ['a pseudo header in trailers', protocolError, trailers([[':status', '200']])],
  ['a name in upper case in trailers', protocolError, trailers([['A', 'b']])],
  [
    'less body than its content-length',
    protocolError,
    Buffer.concat([
      answer(
        [
          [':status', '200'],
          ['content-length', '3'],
        ],
        false,
      ),
      dataFrame(1, Buffer.from('ab'), true),
    ]),
  ],
  [
    'more body than its content-length',
    protocolError,
    Buffer.concat([
      answer(
        [
          [':status', '400'],
          ['content-length', '1'],
        ],
        false,
      ),
      dataFrame(1, Buffer.from('ab'), true),
    ]),
  ],
  ['WINDOW_UPDATE of 0', protocolError, windowUpdateFrame(1, 0)],
  ['WINDOW_UPDATE that overflows', flowControlError, windowUpdateFrame(1, 2 ** 31 - 1)],
]

describe('a malformed response ends its own stream only', () => {
  for (const [name, code, sent] of malformed) {
    test(name, () => {
      const { rig, block } = opened(3)
      rig.feed(sent)
      assert.equal(rig.error, undefined)
      const [reset, ...others] = rig.takeFrames().filter(({ type }) => type === FrameType.rstStream)
      assert.deepEqual([reset?.streamId, reset?.payload.readUInt32BE(), others.length], [1, code, 0])
      assert.equal(block.outcomes[0], OutcomeCode.unknown)
      assert.notEqual(block.cause(0), '')
      // What is still on its way for the stream is no violation.
      rig.feed(Buffer.concat([headersFrame(1, ok, false), dataFrame(1, ok, true), windowUpdateFrame(1, 5)]))
      rig.feed(Buffer.concat([plainAnswer(5), plainAnswer(3)]))
      assert.equal(rig.error, undefined)
      assert.deepEqual([...block.outcomes], [OutcomeCode.unknown, OutcomeCode.response, OutcomeCode.response])
    })
  }
})
