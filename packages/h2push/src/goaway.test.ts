import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestBlock } from './request/block.ts'
import { OutcomeCode } from './request/outcome.ts'
import { dataFrame, frame, goawayFrame, headersFrame, plainSettings, resetFrame } from './testing/frame-writer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'
import { singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const ok = literals('200')
const { pending, response, unknown } = OutcomeCode

function outcomes(block: RequestBlock): number[] {
  return [...block.outcomes]
}

describe('GOAWAY', () => {
  test('lets what is at or under its last stream finish, and hands the rest back', () => {
    const { rig, block } = opened(4)
    rig.feed(goawayFrame(3, 0))
    assert.equal(block.unsent, 2)
    assert.equal(rig.session.live, 2)
    rig.feed(plainAnswer(3))
    assert.equal(rig.drained, false)
    rig.feed(Buffer.concat([headersFrame(1, ok, false), dataFrame(1, ok, true)]))
    assert.equal(rig.drained, true)
    assert.deepEqual(outcomes(block), [response, response, pending, pending])
  })

  test('with the highest id first hands nothing back until the real one comes', () => {
    const { rig, block } = opened(3)
    rig.feed(goawayFrame(0x7fff_ffff, 0))
    assert.equal(block.unsent, 0)
    rig.feed(goawayFrame(3, 0))
    assert.equal(block.unsent, 1)
    rig.feed(goawayFrame(1, 0))
    assert.equal(block.unsent, 2)
    rig.feed(goawayFrame(1, 0))
    rig.feed(plainAnswer(1))
    assert.equal(rig.drained, true)
    assert.deepEqual(outcomes(block), [response, pending, pending])
  })

  test('with id 0 hands everything back and ends the connection', () => {
    const { rig, block } = opened(3)
    rig.feed(goawayFrame(0, 0, '{"reason":"BadCertificateEnvironment"}'))
    assert.deepEqual(rig.events, ['ready', 'goaway 0 BadCertificateEnvironment', 'drained'])
    assert.equal(block.unsent, 3)
    assert.equal(block.open, 3)
  })

  test('tells its reason: that of JSON, else the text, without control characters and not without end', () => {
    const reasons = [
      ['{"reason":"Shutdown","timestamp":1}', 'Shutdown'],
      ['max_age', 'max_age'],
      ['{"reason":7}', '{"reason":7}'],
      ['{"reason":"a\\u0007b"}', 'ab'],
      ['not\r\njson', 'notjson'],
      ['', ''],
      ['x'.repeat(5_000), 'x'.repeat(200)],
    ] as const
    for (const [debug, reason] of reasons) {
      const { rig } = opened(1)
      rig.feed(goawayFrame(1, 2, debug))
      assert.equal(rig.events.at(-1), `goaway 2 ${reason}`)
    }
  })

  test('followed by a close without answers leaves the outcome open', () => {
    const { rig, block } = opened(2)
    rig.feed(goawayFrame(1, 0))
    rig.close()
    assert.deepEqual(outcomes(block), [unknown, OutcomeCode.notProcessed])
  })

  test('amid an answer lets that answer finish', () => {
    const { rig, block } = opened(2)
    rig.feed(Buffer.concat([headersFrame(1, literals('410'), false), goawayFrame(1, 0), dataFrame(1, ok, true)]))
    assert.equal(block.statuses[0], 410)
    assert.equal(rig.drained, true)
  })

  test('does not stop the bodies of requests under its last stream', async () => {
    const rig = new SessionRig()
    rig.feed(plainSettings)
    const body = Buffer.alloc(100_000, 'x')
    const single = rig.request(singleRequest('/large', body))
    rig.feed(goawayFrame(1, 0))
    const sent = (): number =>
      rig.takeFrames().reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0)
    assert.equal(sent(), 65_535)
    rig.feed(Buffer.concat([frame(8, 0, 0, Buffer.from([0, 1, 0, 0])), frame(8, 0, 1, Buffer.from([0, 1, 0, 0]))]))
    assert.equal(sent(), body.length - 65_535)
    rig.feed(plainAnswer(1))
    assert.equal((await single.outcome).kind, 'response')
  })

  test('with nothing open ends the connection at once', () => {
    const { rig } = opened(1)
    rig.feed(plainAnswer(1))
    rig.feed(goawayFrame(1, 0))
    assert.equal(rig.drained, true)
  })

  test('then a reset of the last stream ends the connection too', () => {
    const { rig, block } = opened(1)
    rig.feed(Buffer.concat([goawayFrame(1, 0), resetFrame(1, 7)]))
    assert.equal(rig.drained, true)
    assert.equal(block.unsent, 1)
  })

  test('with a single request cancelled that was the last ends the connection too', () => {
    const rig = new SessionRig()
    rig.feed(plainSettings)
    const abort = new AbortController()
    rig.request(singleRequest('/cancelled', Buffer.alloc(0), { signal: abort.signal }))
    rig.feed(goawayFrame(1, 0))
    abort.abort()
    rig.turn()
    assert.equal(rig.drained, true)
  })
})

describe('a refused stream', () => {
  test('is sent again by itself', () => {
    const { rig, block } = opened(1)
    rig.feed(resetFrame(1, 7))
    rig.feed(plainAnswer(3))
    assert.deepEqual(outcomes(block), [response])
  })

  test('is given up after sixteen times, as not processed', () => {
    const { rig, block } = opened(1)
    for (let id = 1; id <= 33; id += 2) rig.feed(resetFrame(id, 7))
    assert.deepEqual(outcomes(block), [OutcomeCode.notProcessed])
    assert.equal(block.cause(0), 'refused')
  })
})

test('a stream that is reset for any other reason may have been processed', () => {
  for (const code of [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 0xffff_ffff]) {
    const { rig, block } = opened(1)
    rig.feed(resetFrame(1, code))
    assert.deepEqual(outcomes(block), [unknown])
    assert.equal(rig.events.includes('calm'), code === 11)
  }
})
