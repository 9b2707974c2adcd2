import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { verifyPass } from '@stampede/pkpass'
import { answerVas, readVas, vasRequest } from '@stampede/sandbox'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const brand = testBrand('alpha')
const reader = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([brand], {}, { nfc: true })
  const nfc = {
    message: 'C{card_number}',
    encryptionPublicKey: reader.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    requiresAuthentication: false,
    redemptionIssuers: [],
  }
  await fixture.client.putTemplate({ idempotencyKey: 'nfc', brand: brand.brand, template: testTemplate({ nfc }) })
})
after(() => fixture[Symbol.asyncDispose]())

async function installed(cardNumber: string) {
  const { pass } = await fixture.client.getCard({ brand: brand.brand, cardNumber })
  const answer = await fixture.web('GET', new URL(pass?.appleUrl ?? '').pathname)
  return verifyPass(answer.body, fixture.rootPem, new Date()).pass
}

describe('a card that is held to a reader', () => {
  it('tells the reader whose key its template holds what the template says', async () => {
    await fixture.client.upsertPass({ brand: brand.brand, cardNumber: '4000123' })
    const { nfc, passTypeIdentifier } = await installed('4000123')
    assert.ok(nfc !== undefined)
    const now = new Date('2026-11-25T10:00:00Z')
    const answer = answerVas([{ passTypeIdentifier, ...nfc }], vasRequest(passTypeIdentifier), now)
    assert.deepEqual(readVas(answer, passTypeIdentifier, reader.privateKey), { message: 'C4000123', at: now })
    const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    assert.throws(() => readVas(answer, passTypeIdentifier, stranger.privateKey), { code: 'WRONG_KEY' })
  })

  it('tells nothing once it is used', async () => {
    await fixture.client.upsertPass({ brand: brand.brand, cardNumber: '4000123', details: { lifecycle: 'used' } })
    const { nfc, voided, barcodes } = await installed('4000123')
    assert.deepEqual([nfc, voided, barcodes], [undefined, true, undefined])
  })
})
