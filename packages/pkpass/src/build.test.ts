import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, it } from 'node:test'
import {
  buildPass,
  buildPassChunks,
  MAX_BUNDLE_BYTES,
  MAX_BUNDLE_FILES,
  MAX_IMAGES,
  MAX_IMAGES_BYTES,
  MAX_LANGUAGES,
  MAX_PASS_JSON_BYTES,
  prepareAssets,
  readPass,
  type Signer,
  verifyPass,
} from './index.ts'
import type { TestAuthority } from './testing/authority.ts'
import { images, memberPass, now, testIssuer } from './testing/fixture.ts'

const prepared = prepareAssets(images)
let authority: TestAuthority
let signer: Signer

before(async () => {
  ;({ authority, signer } = await testIssuer())
})

/** How a file lies in a zip: 0 as it is, 8 deflated. */
function methodOf(bundle: Buffer, name: string): number {
  return bundle.readUInt16LE(bundle.indexOf(Buffer.from(name)) - 30 + 8)
}

describe('a built pass', () => {
  it('is read back and verifies', async () => {
    const bundle = await buildPass({ pass: memberPass, assets: prepared }, signer, now)
    const verified = verifyPass(bundle, authority.rootPem, now)
    assert.deepEqual(verified.pass, memberPass)
    assert.equal(verified.signingTime.getTime(), now.getTime())
    const names = [...Object.keys(images), 'manifest.json', 'pass.json', 'signature']
    assert.deepEqual([...verified.files.keys()].sort(), names.sort())
  })

  it('lists every other file with its SHA-1 in the manifest', async () => {
    const { files, manifest } = readPass(await buildPass({ pass: memberPass, assets: prepared }, signer, now))
    const listed = [...files].filter(([name]) => name !== 'manifest.json' && name !== 'signature')
    const expected = listed.map(([name, bytes]) => [name, createHash('sha1').update(bytes).digest('hex')])
    assert.deepEqual(JSON.parse(Buffer.from(manifest).toString()), Object.fromEntries(expected))
  })

  it('is the same bytes for the same content and time', async () => {
    const files = { pass: memberPass, assets: prepared }
    assert.deepEqual(await buildPass(files, signer, now), await buildPass(files, signer, now))
  })

  it('keeps PNG files and a short pass.json as they are, and deflates a long one', async () => {
    const short = await buildPass({ pass: memberPass, assets: prepared }, signer, now)
    assert.deepEqual([methodOf(short, 'icon.png'), methodOf(short, 'pass.json')], [0, 0])
    assert.equal(short.readUInt16LE(6) & 8, 0, 'no data descriptors')
    const terms = { key: 'terms', value: 'Points are valid for a year. '.repeat(200) }
    const pass = { ...memberPass, storeCard: { ...memberPass.storeCard, backFields: [terms] } }
    const long = await buildPass({ pass, assets: prepared }, signer, now)
    assert.equal(methodOf(long, 'pass.json'), 8)
    assert.ok(long.length < short.length + 1_000)
    assert.deepEqual(verifyPass(long, authority.rootPem, now).pass, pass)
  })

  it('carries texts of languages in UTF-16, with quotes, backslashes and lines escaped', async () => {
    const assets = prepareAssets(images, { ru: { Points: 'Баллы', 'a "b"\\': 'в\n"г"' } })
    const { files } = readPass(await buildPass({ pass: memberPass, assets }, signer, now))
    const bytes = files.get('ru.lproj/pass.strings') ?? new Uint8Array()
    assert.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xfe])
    const text = new TextDecoder('utf-16le', { fatal: true }).decode(bytes)
    assert.equal(text, '"Points" = "Баллы";\n"a \\"b\\"\\\\" = "в\\n\\"г\\"";\n')
  })

  it('always fits a bundle, however large design and pass are', () => {
    const headers = MAX_BUNDLE_FILES * 200
    assert.ok(MAX_IMAGES_BYTES + MAX_PASS_JSON_BYTES + headers < MAX_BUNDLE_BYTES)
    assert.ok(MAX_IMAGES + MAX_LANGUAGES + 3 <= MAX_BUNDLE_FILES)
  })

  it('comes in pieces of which the images are never copied', async () => {
    const one = await buildPassChunks({ pass: memberPass, assets: prepared }, signer, now)
    const other = { ...memberPass, serialNumber: 'b' }
    const two = await buildPassChunks({ pass: other, assets: prepared }, signer, now)
    assert.equal(one[0], two[0])
    assert.deepEqual(Buffer.concat(one), await buildPass({ pass: memberPass, assets: prepared }, signer, now))
    assert.equal(verifyPass(Buffer.concat(two), authority.rootPem, now).pass.serialNumber, 'b')
  })
})
