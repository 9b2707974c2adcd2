import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OutcomeCode } from './request/outcome.ts'
import { dataFrame, headersFrame, plainSettings } from './testing/frame-writer.ts'
import { literals, opened } from './testing/opened.ts'
import { singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const empty = Buffer.alloc(0)
const json = '{"reason":"Unregistered","timestamp":1750000000000}'

/** A response to stream 1, its status and its body. */
const shapes: readonly (readonly [name: string, sent: Uint8Array, status: number, body: string])[] = [
  ['headers only', headersFrame(1, literals('400'), true), 400, ''],
  ['headers, and an empty end later', shape('400', [empty]), 400, ''],
  ['a body in one piece', shape('410', [Buffer.from(json)]), 410, json],
  ['a body, and an empty end later', shape('410', [Buffer.from(json), empty]), 410, json],
  [
    'a body in many pieces',
    shape(
      '410',
      [...json].map((letter) => Buffer.from(letter)),
    ),
    410,
    json,
  ],
  ['a body that is not JSON', shape('503', [Buffer.from('<html>')]), 503, '<html>'],
  ['a body that is not text', shape('500', [Buffer.of(0, 255, 13)]), 500, '\0\xff\r'],
  ['a body and trailers', trailing(shape('429', [Buffer.from(json)], false)), 429, json],
  ['trailers without a body', trailing(headersFrame(1, literals('429'), false)), 429, ''],
  [
    'an interim response before',
    Buffer.concat([headersFrame(1, literals('103'), false), shape('403', [empty])]),
    403,
    '',
  ],
  ['a 200 with a body', shape('200', [Buffer.from('ok')]), 200, 'ok'],
]

function shape(status: string, parts: readonly Uint8Array[], isEnd = true): Buffer {
  const head = headersFrame(1, literals(status, [['apns-id', 'ID']]), false)
  return Buffer.concat([head, ...parts.map((part, index) => dataFrame(1, part, isEnd && index === parts.length - 1))])
}

function trailing(before: Buffer): Buffer {
  return Buffer.concat([before, headersFrame(1, trailerBlock(), true)])
}

function trailerBlock(): Uint8Array {
  // Behind the status: a literal `t: 1`.
  return Buffer.from([0x00, 0x01, 0x74, 0x01, 0x31])
}

describe('a response counts once it is complete, whatever its shape', () => {
  for (const [name, sent, status, body] of shapes) {
    test(name, async () => {
      const { rig, block } = opened(1)
      rig.feed(sent.subarray(0, sent.length - 1))
      assert.equal(block.outcomes[0], OutcomeCode.pending)
      rig.feed(sent.subarray(sent.length - 1))
      assert.deepEqual([block.outcomes[0], block.statuses[0]], [OutcomeCode.response, status])
      assert.equal(Buffer.from(block.response(0)?.body ?? empty).toString('latin1'), body)
      assert.equal(block.response(0)?.trailers.length, name.includes('trailers') ? 1 : 0)

      const single = new SessionRig()
      single.feed(plainSettings)
      const request = single.request(singleRequest('/x', empty))
      single.feed(sent)
      const outcome = await request.outcome
      assert.equal(outcome.kind === 'response' && outcome.status, status)
    })
  }
})

test('a plain 200 leaves nothing but its status and the captured header', () => {
  const { rig, block } = opened(1)
  rig.feed(
    headersFrame(
      1,
      literals('200', [
        ['x', 'y'],
        ['apns-id', 'THE-ID'],
      ]),
      true,
    ),
  )
  assert.equal(block.response(0), undefined)
  assert.deepEqual([block.statuses[0], block.capturedText(0), block.cause(0)], [200, 'THE-ID', ''])
})

test('a captured header of an interim response is not that of the response', () => {
  const { rig, block } = opened(2)
  rig.feed(headersFrame(1, literals('103', [['apns-id', 'OF-THE-INTERIM-RESPONSE']]), false))
  rig.feed(headersFrame(1, literals('200', [['apns-id', 'SHORT']]), true))
  rig.feed(headersFrame(3, literals('103', [['apns-id', 'OF-THE-INTERIM-RESPONSE']]), false))
  rig.feed(headersFrame(3, literals('200'), true))
  assert.deepEqual([block.capturedText(0), block.capturedText(1)], ['SHORT', ''])
})

test('a captured header that is too long is cut off', () => {
  const { rig, block } = opened(2)
  rig.feed(headersFrame(3, literals('200', [['apns-id', 'x'.repeat(1_000)]]), true))
  rig.feed(headersFrame(1, literals('200', [['apns-id', 'first']]), true))
  assert.deepEqual([block.capturedText(0), block.capturedText(1)], ['first', 'x'.repeat(36)])
})
