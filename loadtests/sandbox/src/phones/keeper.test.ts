import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDir } from '../testing/index.ts'
import { BUNDLES_MAX, Keeper } from './keeper.ts'

test('phones that come side by side keep a sample of the lowest scores, and no more', async () => {
  await using dir = await temporaryDir()
  const serials = Array.from({ length: 3 * BUNDLES_MAX }, (_, index) => `serial-${index}`)
  const kept: string[][] = []
  for (const order of [serials, serials.toReversed()]) {
    const folder = join(dir.path, String(kept.length))
    await using keeper = await Keeper.open(folder, 'seed')
    await Promise.all(order.map((serial) => keeper.keepBundle(serial, Buffer.from(serial))))
    kept.push((await readdir(join(folder, 'bundles'))).sort())
  }
  assert.equal(kept[0]?.length, BUNDLES_MAX)
  assert.deepEqual(kept[0], kept[1])
})
