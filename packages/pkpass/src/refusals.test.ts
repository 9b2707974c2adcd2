import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { buildPass, MAX_IMAGE_BYTES, type PassJson, prepareAssets } from './index.ts'
import { countingSigner, images, memberPass, now, refused, type TestIssuer, testIssuer } from './testing/fixture.ts'
import { testPng } from './testing/png.ts'
import { shapes } from './testing/shapes.ts'

const { pass: readerPass } = shapes['a pass for contactless readers'] ?? assert.fail()
const field = { key: 'terms', value: 'Terms' }

/** What is changed of a good pass, and which path the error names. */
const wrongPasses: Readonly<Record<string, readonly [change: object, path: string]>> = {
  'another brand’s pass type': [{ passTypeIdentifier: 'pass.example.other' }, 'passTypeIdentifier'],
  'another team': [{ teamIdentifier: 'ZZZZZ12345' }, 'teamIdentifier'],
  'a colour by name': [{ backgroundColor: 'red' }, 'backgroundColor'],
  'a colour beyond 255': [{ labelColor: 'rgb(1, 2, 256)' }, 'labelColor'],
  'a date without a zone': [{ expirationDate: '2027-01-01T00:00:00' }, 'expirationDate'],
  'a date that no calendar has': [{ expirationDate: '2027-13-41T00:00:00Z' }, 'expirationDate'],
  'a key that Wallet does not know': [{ backgroundcolor: 'rgb(1, 2, 3)' }, 'backgroundcolor'],
  'a key of a field that Wallet does not know': [
    { storeCard: { backFields: [{ ...field, colour: 'red' }] } },
    'storeCard.backFields[0].colour',
  ],
  'a payload for readers without an NFC certificate': [{ nfc: readerPass.nfc }, 'nfc'],
  'a field text with control characters': [
    { storeCard: { backFields: [{ ...field, value: 'a\u0000b' }] } },
    'storeCard.backFields[0].value',
  ],
  'a field text with half a character': [
    { storeCard: { backFields: [{ ...field, value: '\ud83d' }] } },
    'storeCard.backFields[0].value',
  ],
  'a field text with a script': [
    { storeCard: { backFields: [{ ...field, attributedValue: '<script>alert(1)</script>' }] } },
    'storeCard.backFields[0].attributedValue',
  ],
  'a field text without end': [
    { storeCard: { backFields: [{ ...field, value: 'x'.repeat(10_000) }] } },
    'storeCard.backFields[0].value',
  ],
  'an object as field text': [
    { storeCard: { backFields: [{ ...field, value: { toJSON: 1 } }] } },
    'storeCard.backFields[0].value',
  ],
}

/** Images that no design may have, and which file the error names. */
const wrongImages: Readonly<Record<string, readonly [images: object, code: string, path: string]>> = {
  'a missing icon': [{ 'icon.png': undefined }, 'INVALID_IMAGE', 'icon.png'],
  'an oversized image': [{ 'strip.png': testPng(1, 1, 0, Buffer.alloc(MAX_IMAGE_BYTES)) }, 'TOO_LARGE', 'strip.png'],
  'an image that Wallet would cut': [{ 'logo.png': testPng(161, 50, 0) }, 'INVALID_IMAGE', 'logo.png'],
  'an image that is none': [{ 'logo.png': Buffer.from('GIF89a') }, 'INVALID_IMAGE', 'logo.png'],
}

let issuer: TestIssuer

before(async () => {
  issuer = await testIssuer()
})

/** Builds with a signer that must not be asked; any error must have the code and path. */
async function assertRefused(pass: PassJson, files: object, code: string, path: string, time = now): Promise<void> {
  const signer = countingSigner(issuer.signer)
  const kept = Object.entries(files).filter((entry): entry is [string, Buffer] => entry[1] !== undefined)
  const attempt = async () => buildPass({ pass, assets: prepareAssets(Object.fromEntries(kept)) }, signer, time)
  await assert.rejects(attempt(), refused(code, path))
  assert.equal(signer.signed(), 0, 'nothing is signed')
}

describe('nothing is signed', () => {
  it('unless all is right', async () => {
    const signer = countingSigner(issuer.signer)
    await buildPass({ pass: memberPass, assets: prepareAssets(images) }, signer, now)
    assert.equal(signer.signed(), 1)
  })

  for (const [name, [change, path]] of Object.entries(wrongPasses)) {
    it(`for ${name}`, () => assertRefused({ ...memberPass, ...change }, images, 'INVALID_PASS', path))
  }

  for (const [name, [change, code, path]] of Object.entries(wrongImages)) {
    it(`for ${name}`, () => assertRefused(memberPass, { ...images, ...change }, code, path))
  }

  it('for a pass.json that is too large', () => {
    const backFields = Array.from({ length: 12 }, (_, index) => ({ key: `k${index}`, value: 'x'.repeat(8_000) }))
    const pass = { ...memberPass, storeCard: { backFields } }
    return assertRefused(pass, images, 'TOO_LARGE', 'pass.json')
  })

  it('outside the certificate’s life', () => {
    const later = new Date('2028-01-01T00:00:00Z')
    return assertRefused(memberPass, images, 'INVALID_CERTIFICATE', 'certificate.validity', later)
  })
})
