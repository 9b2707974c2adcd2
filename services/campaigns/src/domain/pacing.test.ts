import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChunksMax, type PacingInput, paceCampaign } from './pacing.ts'

const calm: PacingInput = {
  nowMs: 1_000_000,
  capacityPerSecond: 1_000,
  maxPerSecond: 0,
  openChunks: 0,
  outstanding: 0,
  nextReleaseAtMs: 0,
  waiting: [8_000, 8_000, 8_000],
}

test('a chunk goes out at once and the next waits for the rate', () => {
  assert.deepEqual(paceCampaign(calm), { release: 1, nextReleaseAtMs: 1_000_000 + 10_000 })
})

test('the own ceiling counts when it is lower', () => {
  assert.equal(paceCampaign({ ...calm, maxPerSecond: 100 }).nextReleaseAtMs, 1_000_000 + 80_000)
  assert.equal(paceCampaign({ ...calm, maxPerSecond: 5_000 }).nextReleaseAtMs, 1_000_000 + 10_000)
})

test('nothing goes out before the rate allows it', () => {
  assert.equal(paceCampaign({ ...calm, nextReleaseAtMs: 1_000_001 }).release, 0)
})

test('phones on their way stay within 60 s of the share of capacity', () => {
  assert.equal(paceCampaign({ ...calm, outstanding: 40_000 }).release, 1)
  assert.equal(paceCampaign({ ...calm, outstanding: 40_001 }).release, 0)
})

test('a chunk above the whole window goes out alone', () => {
  const slow = { ...calm, capacityPerSecond: 10 }
  assert.equal(paceCampaign(slow).release, 1)
  assert.equal(paceCampaign({ ...slow, outstanding: 1 }).release, 0)
})

test('open chunks are bounded, small ones go out together', () => {
  const small = { ...calm, waiting: Array.from({ length: 100 }, () => 0) }
  assert.equal(paceCampaign(small).release, openChunksMax)
  assert.equal(paceCampaign({ ...small, openChunks: 30 }).release, 2)
})

test('without a published capacity it is cautious', () => {
  assert.equal(paceCampaign({ ...calm, capacityPerSecond: 0 }).nextReleaseAtMs, 1_000_000 + 100_000)
})
