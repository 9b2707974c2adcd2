import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openChunksMax, type PacingInput, paceCampaign } from './pacing.ts'

/** What a look makes up for when it comes late. */
const catchUpMs = 250

const calm: PacingInput = {
  nowMs: 1_000_000,
  capacityPerSecond: 1_000,
  sharedBy: 1,
  maxPerSecond: 0,
  openChunks: 0,
  outstanding: 0,
  nextReleaseAtMs: 0,
  waiting: [8_000, 8_000, 8_000],
}

test('a chunk goes out at once and the next waits for the rate', () => {
  assert.deepEqual(paceCampaign(calm), { release: 1, nextReleaseAtMs: 1_000_000 - catchUpMs + 10_000 })
})

test('the own ceiling counts when it is lower', () => {
  assert.equal(paceCampaign({ ...calm, maxPerSecond: 100 }).nextReleaseAtMs, 1_000_000 - catchUpMs + 80_000)
  assert.equal(paceCampaign({ ...calm, maxPerSecond: 5_000 }).nextReleaseAtMs, 1_000_000 - catchUpMs + 10_000)
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
  assert.equal(paceCampaign({ ...calm, capacityPerSecond: 0 }).nextReleaseAtMs, 1_000_000 - catchUpMs + 100_000)
})

test('small chunks go out at the rate, not one per look', () => {
  const waiting = Array.from({ length: 32 }, () => 40)
  assert.equal(paceCampaign({ ...calm, waiting }).release, 6)
  assert.equal(paceCampaign({ ...calm, waiting, nextReleaseAtMs: 1_000_000 - 100 }).release, 3)
})

test('campaigns that wait share the capacity', () => {
  const two = { ...calm, sharedBy: 2 }
  assert.equal(paceCampaign(two).nextReleaseAtMs, 1_000_000 - catchUpMs + 20_000)
  assert.equal(paceCampaign({ ...two, outstanding: 16_001 }).release, 0)
})
