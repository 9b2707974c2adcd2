import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseChunkId } from './chunk-id.ts'

const campaignId = '0199f3a0-0000-7000-8000-000000000001'

const good: readonly (readonly [string, number, number, number])[] = [
  ['0/0of2', 0, 0, 2],
  ['17/1of2', 17, 1, 2],
  ['3/0of0', 3, 0, 0],
]

for (const [rest, index, part, parts] of good) {
  test(`"${rest}" behind a campaign's id names a part`, () => {
    assert.deepEqual(parseChunkId(`${campaignId}/${rest}`), { campaignId, index, part, parts })
  })
}

for (const chunkId of [
  '',
  campaignId,
  `${campaignId}/1`,
  `${campaignId}/3/1`,
  `${campaignId}/1/1of`,
  `${campaignId}/17/2of2`,
  `${campaignId}/3/1of0`,
  `x${campaignId}/1/1of1`,
  `c-1/0/1of1`,
]) {
  test(`"${chunkId}" names no part`, () => {
    assert.equal(parseChunkId(chunkId), undefined)
  })
}
