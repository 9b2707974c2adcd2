import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readPass } from '@stampede/pkpass'
import { Fixture, testBrand, testTemplate, type WebAnswer } from '../testing/fixture.ts'

const brand = 'alpha'
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([testBrand(brand)])
  const template = testTemplate({ style: 'coupon' })
  await fixture.client.putTemplate({ idempotencyKey: 'coupon', brand, templateId: 'coffee', template })
})
after(() => fixture[Symbol.asyncDispose]())

function pathOf(answer: WebAnswer): string {
  return new URL(String(answer.headers['location'])).pathname
}

describe('a channel link', () => {
  it('hands each visitor a coupon of its own, the same one again to who comes back, and no more than there are', async () => {
    const link = { templateId: 'coffee', channel: 'instagram', maxPasses: 3n, validDays: 7 }
    const request = { idempotencyKey: 'link', brand, linkId: 'summer', link }
    const { url, qrSvg } = await fixture.client.putChannelLink(request)
    assert.match(qrSvg, /^<svg/)
    const path = new URL(url).pathname
    const first = await fixture.web('GET', path)
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? ''
    const again = await fixture.web('GET', path, { cookie })
    assert.deepEqual([first.status, again.status, pathOf(again)], [302, 302, pathOf(first)])
    const answers = await Promise.all(Array.from({ length: 8 }, () => fixture.web('GET', path)))
    assert.equal(answers.filter((answer) => answer.status === 302).length, 2)
    assert.equal(answers.filter((answer) => answer.status === 410).length, 6)
    assert.equal((await fixture.client.getChannelLink({ brand, linkId: 'summer' })).issued, 3n)
  })

  it('leads an iPhone to a signed coupon that expires and names nobody', async () => {
    const request = { idempotencyKey: 'other', brand, linkId: 'other', link: { templateId: 'coffee', validDays: 7 } }
    const path = new URL((await fixture.client.putChannelLink(request)).url).pathname
    const page = pathOf(await fixture.web('GET', path))
    const phone = await fixture.web('GET', page, { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)' })
    const { pass } = readPass((await fixture.web('GET', pathOf(phone))).body)
    assert.ok(pass.coupon)
    assert.match(pass.barcodes?.[0]?.message ?? '', /^[0-9A-Z]{16}$/)
    assert.ok(Date.parse(pass.expirationDate ?? '') > Date.now() + 6 * 24 * 3_600_000)
    const desk = await fixture.web('GET', page, { 'user-agent': 'curl/8' })
    assert.match(desk.body.toString(), /Apple Wallet[\s\S]*Google Wallet/)
    assert.match(String(desk.headers['content-security-policy']), /default-src 'none'/)
  })

  it('is not there under another name', async () => {
    assert.equal((await fixture.web('GET', `/c/${brand}/nothing`)).status, 404)
    assert.equal((await fixture.web('GET', '/add/nothing')).status, 404)
  })
})

describe('the state of a brand', () => {
  it('says whether its passes can be signed', async () => {
    const status = await fixture.client.getBrandStatus({ brand })
    assert.deepEqual([status.appleCertificate, status.nfc, status.googleAccount], ['ok', false, 'ok'])
  })

  it('keeps a template with NFC out while the certificate is no NFC one', async () => {
    const nfc = {
      message: '{card_number}',
      encryptionPublicKey: 'x',
      requiresAuthentication: false,
      redemptionIssuers: [],
    }
    const wish = { idempotencyKey: 'nfc', brand, templateId: 'nfc', template: testTemplate({ nfc }) }
    await assert.rejects(fixture.client.putTemplate(wish), { code: 'FAILED_PRECONDITION' })
  })
})
