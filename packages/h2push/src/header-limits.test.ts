import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Setting } from './protocol/constants.ts'
import { OutcomeCode } from './request/outcome.ts'
import { settingsFrame } from './testing/frame-writer.ts'
import { plainAnswer } from './testing/opened.ts'
import { pushBlock, pushTemplate, singleRequest } from './testing/pushes.ts'
import { SessionRig } from './testing/session-rig.ts'

const small = pushTemplate()
const large = pushTemplate({ headers: [['x-large', 'v'.repeat(2_000)]] })
const nothing = Buffer.alloc(0)

function ready(listBytes: number): SessionRig {
  const rig = new SessionRig()
  rig.feed(settingsFrame([[Setting.maxHeaderListSize, listBytes]]))
  return rig
}

test('requests whose header list the peer does not take are not sent, and do not stop the others', async () => {
  const rig = ready(1_000)
  const blocks = [pushBlock(large, 0, 10), pushBlock(small, 10, 2), pushBlock(large, 20, 1)]
  for (const block of blocks) rig.submit(block)
  const wide = rig.request(singleRequest('/wide', nothing, { headers: [['x-large', 'v'.repeat(2_000)]] }))
  const narrow = rig.request(singleRequest('/narrow', nothing))
  assert.equal(rig.session.live, 3)
  rig.feed(Buffer.concat([plainAnswer(1), plainAnswer(3), plainAnswer(5)]))
  const [first, second, third] = blocks
  assert.ok(first?.outcomes.every((outcome) => outcome === OutcomeCode.notProcessed))
  assert.ok(second?.outcomes.every((outcome) => outcome === OutcomeCode.response))
  assert.match(third?.cause(0) ?? '', /header list/)
  assert.equal((await wide.outcome).kind, 'not-processed')
  assert.equal((await narrow.outcome).kind, 'response')
})

test('the limit of the peer counts to the byte, the varying part and 32 for each header included', () => {
  // The template's list counts its path without the 32 bytes in hexadecimal.
  const bytes = small.listBytes + 64
  const exact = ready(bytes)
  exact.submit(pushBlock(small, 0, 1))
  assert.equal(exact.session.live, 1)
  exact.close()
  const block = pushBlock(small, 0, 1)
  ready(bytes - 1).submit(block)
  assert.deepEqual([...block.outcomes], [OutcomeCode.notProcessed])
})

test('a limit that rises lets larger requests go', () => {
  const rig = ready(1_000)
  rig.feed(settingsFrame([[Setting.maxHeaderListSize, 100_000]]))
  rig.submit(pushBlock(large, 0, 3))
  assert.equal(rig.session.live, 3)
  rig.close()
})
