import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unzipSync } from 'fflate'
import { bundlePasses, MAX_BUNDLE_BYTES, MAX_BUNDLED_PASSES } from './index.ts'
import { refused } from './testing/fixture.ts'
import { scratchFolder, systemUnzips } from './testing/oracles.ts'

describe('a bundle of passes', () => {
  it('holds each pass as it is', (t) => {
    const passes = [Buffer.from('one'), Buffer.from('two'), Buffer.alloc(100_000, 3)]
    const bundle = bundlePasses(passes)
    const files = unzipSync(bundle)
    assert.deepEqual(Object.keys(files), ['pass-1.pkpass', 'pass-2.pkpass', 'pass-3.pkpass'])
    assert.deepEqual(Object.values(files).map(Buffer.from), passes)
    const names = systemUnzips(t, scratchFolder(t), bundle)
    if (names !== undefined) assert.deepEqual(names, Object.keys(files))
  })

  it('is refused without a pass, with too many and with one that is too large', () => {
    assert.throws(() => bundlePasses([]), refused('INVALID_BUNDLE', 'passes'))
    const many = Array.from({ length: MAX_BUNDLED_PASSES + 1 }, () => Buffer.from('one'))
    assert.throws(() => bundlePasses(many), refused('TOO_LARGE', 'passes'))
    const large = [Buffer.from('one'), Buffer.alloc(MAX_BUNDLE_BYTES + 1)]
    assert.throws(() => bundlePasses(large), refused('TOO_LARGE', 'passes[1]'))
  })
})
