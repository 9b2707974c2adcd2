import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from './hpack/testing/random.ts'
import { ErrorCode, FrameType } from './protocol/constants.ts'
import type { RequestBlock } from './request/block.ts'
import { OutcomeCode } from './request/outcome.ts'
import { dataFrame, headersFrame, plainSettings, resetFrame, settingsFrame } from './testing/frame-writer.ts'
import { InMemoryPeer } from './testing/in-memory.ts'
import { Ledger } from './testing/ledger.ts'
import { nastyTemper } from './testing/nasty-peer.ts'
import { literals, opened, plainAnswer } from './testing/opened.ts'
import { pushBlock, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const { pending, response, unknown, deadline } = OutcomeCode
const template = pushTemplate()
const ok = literals('200')
const nothing = Buffer.alloc(0)

function count(block: RequestBlock, outcome: number): number {
  return block.outcomes.reduce((sum, one) => sum + (one === outcome ? 1 : 0), 0)
}

test('answered, ended and pending are together what was submitted, at every moment', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  for (let run = 0; run < 10; run += 1) {
    const rig = new SessionRig()
    const memory = new InMemoryPeer(rig, new Random(seed + run), nastyTemper, new Ledger())
    const block = pushBlock(template, 0, 2_000)
    rig.submit(block)
    memory.play(() => {
      assert.equal(count(block, pending), block.open, `SEED=${seed + run}`)
      assert.equal(block.open, block.unsent + rig.session.live, `SEED=${seed + run}`)
      assert.equal(rig.source.queued, block.unsent, `SEED=${seed + run}`)
      return block.open === 0
    })
    rig.close()
    assert.equal(count(block, pending), 0, `SEED=${seed + run}`)
  }
})

describe('only a whole response is one: what ends before is unknown', () => {
  const parts: readonly (readonly [name: string, sent: Uint8Array])[] = [
    ['nothing', nothing],
    ['an interim response', headersFrame(1, literals('103'), false)],
    ['headers without the end', headersFrame(1, ok, false)],
    ['a part of the body', Buffer.concat([headersFrame(1, ok, false), dataFrame(1, ok, false)])],
    ['a part of a header block', plainAnswer(1).subarray(0, 20)],
  ]
  for (const [name, sent] of parts) {
    test(`the connection closes after ${name}`, async () => {
      const { rig, block } = opened(1)
      rig.feed(sent)
      rig.close()
      assert.deepEqual([block.outcomes[0], block.statuses[0], block.cause(0)], [unknown, 0, 'closed'])

      const other = new SessionRig()
      other.feed(plainSettings)
      const single = other.request(singleRequest('/x', nothing))
      other.feed(sent)
      other.close()
      assert.deepEqual(await single.outcome, { kind: 'unknown', cause: 'closed' })
    })
  }

  test('the stream is reset after a part of the body', () => {
    const { rig, block } = opened(1)
    rig.feed(Buffer.concat([parts[3]?.[1] ?? nothing, resetFrame(1, 2)]))
    assert.deepEqual([block.outcomes[0], block.statuses[0]], [unknown, 0])
  })
})

describe('a deadline', () => {
  test('ends the requests that were opened before, resets few streams, and counts the others until the peer ends them', () => {
    const { rig, block } = opened(1_000)
    rig.feed(headersFrame(3, ok, false))
    assert.equal(rig.session.expire(rig.nowMs), 995)
    assert.equal(count(block, deadline), 1_000)
    assert.equal(rig.takeFrames().filter(({ type }) => type === FrameType.rstStream).length, 5)
    assert.equal(rig.session.live, 995)
    const more = pushBlock(template, 1_000, 1_000)
    rig.submit(more)
    assert.equal(more.unsent, 995)
    for (let id = 1; id < 2_000; id += 2) rig.feed(id === 3 ? dataFrame(3, ok, true) : plainAnswer(id))
    assert.equal(rig.error, undefined)
    assert.equal(more.unsent, 0)
    for (let id = 2_001; id < 4_000; id += 2) rig.feed(plainAnswer(id))
    assert.equal(count(more, response), 1_000)
    assert.equal(rig.session.answered, 1_000)
    assert.equal(rig.session.live, 0)
  })

  test('of one request leaves younger ones alone', () => {
    const { rig, block } = opened(1)
    rig.nowMs += 1_000
    const younger = pushBlock(template, 1, 1)
    rig.submit(younger)
    rig.session.expire(rig.nowMs - 1)
    assert.deepEqual([block.outcomes[0], younger.outcomes[0]], [deadline, pending])
    rig.close()
  })

  test('of a single request ends it, on the wire or before', async () => {
    const rig = new SessionRig()
    const early = rig.request(singleRequest('/early', nothing, { timeoutMs: 5 }))
    assert.deepEqual(await early.outcome, { kind: 'ended', reason: 'deadline', sent: false })
    rig.feed(plainSettings)
    assert.equal(rig.session.live, 0)
    const late = rig.request(singleRequest('/late', nothing, { timeoutMs: 5 }))
    assert.deepEqual(await late.outcome, { kind: 'ended', reason: 'deadline', sent: true })
    assert.equal(rig.session.live, 0)
  })
})

test('four thousand cancelled requests whose answers still come do no harm', () => {
  const rig = new SessionRig({ streamsMax: 10_000 })
  rig.feed(settingsFrame())
  const abort = new AbortController()
  for (let number = 0; number < 4_000; number += 1)
    rig.request(singleRequest(`/${number}`, nothing, { signal: abort.signal }))
  assert.equal(rig.session.live, 4_000)
  abort.abort()
  assert.equal(rig.session.live, 0)
  for (let id = 1; id < 8_000; id += 2) rig.feed(plainAnswer(id))
  assert.equal(String(rig.error ?? ''), '')
  rig.feed(plainAnswer(1))
  assert.equal(rig.error?.h2Code, ErrorCode.streamClosed, 'the end of a stream comes once')
})

test('a session that is aborted leaves no promise behind', async () => {
  const rig = new SessionRig()
  rig.feed(plainSettings)
  const singles = Array.from({ length: 1_500 }, (_, number) =>
    rig.request(singleRequest(`/${number}`, Buffer.alloc(9_999))),
  )
  const block = pushBlock(template, 0, 3_000)
  rig.submit(block)
  rig.close()
  await block.done
  const outcomes = await Promise.all(singles.map(({ outcome }) => outcome))
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    [...new Array<string>(1_000).fill('unknown'), ...new Array<string>(500).fill('not-processed')],
  )
})
