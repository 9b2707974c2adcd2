import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PkpassError, prepareAssets } from './index.ts'
import { testPng } from './testing/index.ts'

const icon = { 'icon.png': testPng(38, 38, 0x224466) }
const logo = testPng(160, 50, 0x224466)

function refused(code: string, path: string) {
  return (error: unknown) => error instanceof PkpassError && error.code === code && error.path === path
}

describe('the images of a design', () => {
  it('may be of a language, at the same resolutions in each', () => {
    const images = { ...icon, 'en.lproj/logo.png': logo, 'ru.lproj/logo.png': logo }
    assert.deepEqual([...prepareAssets(images).digests.keys()], Object.keys(images).sort())
    const uneven = { ...images, 'ru.lproj/logo@2x.png': testPng(320, 100, 0) }
    assert.throws(() => prepareAssets(uneven), refused('INVALID_IMAGE', 'ru.lproj/logo@2x.png'))
    const hidden = { ...images, 'logo.png': logo }
    assert.throws(() => prepareAssets(hidden), refused('INVALID_IMAGE', 'en.lproj/logo.png'))
  })

  it('must have the sizes that Wallet draws', () => {
    const wrong = {
      'icon.png': testPng(39, 38, 0),
      'icon@2x.png': testPng(57, 57, 0),
      'logo.png': testPng(161, 50, 0),
      'strip@3x.png': testPng(1_126, 432, 0),
    }
    for (const [name, bytes] of Object.entries(wrong)) {
      assert.throws(() => prepareAssets({ ...icon, [name]: bytes }), refused('INVALID_IMAGE', name))
    }
    prepareAssets({ ...icon, 'strip@3x.png': testPng(1_125, 432, 0), 'primaryLogo.png': testPng(126, 30, 0) })
  })

  it('must be whole', () => {
    for (const cut of [20, 40, logo.length - 1]) {
      assert.throws(
        () => prepareAssets({ ...icon, 'logo.png': logo.subarray(0, cut) }),
        refused('INVALID_IMAGE', 'logo.png'),
      )
    }
  })
})

describe('the languages of a design', () => {
  it('become strings files that keep quotes, backslashes and lines', () => {
    const { digests, packed } = prepareAssets(icon, { ru: { Points: 'Баллы', 'a "b"\\': 'в\n"г"' } })
    assert.ok(digests.has('ru.lproj/pass.strings'))
    assert.equal(packed.count, 2)
  })

  it('must have the same keys, and names of languages', () => {
    const uneven = { en: { a: 'a' }, ru: { b: 'b' } }
    assert.throws(() => prepareAssets(icon, uneven), refused('INVALID_PASS', 'ru.lproj/pass.strings'))
    assert.throws(() => prepareAssets(icon, { '../x': {} }), refused('INVALID_PASS', '../x.lproj/pass.strings'))
  })
})
