import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { verifyPass } from '@stampede/pkpass'
import { until } from '@stampede/platform/testing'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const brands = ['sound', 'missing', 'expired', 'foreign', 'renewed'].map(testBrand)
const watched = testBrand('watched')
const hourMs = 3_600_000
const paths = new Map<string, string>()
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([...brands, watched])
  for (const { brand } of brands) {
    await fixture.client.putTemplate({ idempotencyKey: 'card', brand, template: testTemplate() })
    const { pass } = await fixture.client.upsertPass({ brand, cardNumber: '1' })
    paths.set(brand, new URL(pass?.appleUrl ?? '').pathname)
  }
})
after(() => fixture[Symbol.asyncDispose]())

async function install(brand: string) {
  return await fixture.web('GET', paths.get(brand) ?? '')
}

async function becomes(brand: string, state: string): Promise<void> {
  await until(`${brand} is ${state}`, async () => {
    return (await fixture.client.getBrandStatus({ brand })).appleCertificate === state
  })
}

describe('a brand whose certificate', () => {
  const past = { notBefore: new Date(Date.now() - 48 * hourMs), notAfter: new Date(Date.now() - 24 * hourMs) }
  const troubles: readonly (readonly [brand: string, state: string, befall: () => unknown])[] = [
    ['missing', 'missing', () => fixture.decertify(testBrand('missing'))],
    ['expired', 'expired', () => fixture.certify(testBrand('expired'), past)],
    ['foreign', 'mismatched', () => fixture.certify(testBrand('foreign'), { passTypeIdentifier: 'pass.test.another' })],
  ]

  for (const [brand, state, befall] of troubles) {
    it(`is ${state} fails alone: its phones shall come again, and its state says why`, async () => {
      await befall()
      await becomes(brand, state)
      const answer = await install(brand)
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.headers['retry-after']) > 0)
      assert.equal((await install('sound')).status, 200)
    })
  }

  it('comes back is answered again', async () => {
    await fixture.certify(testBrand('missing'))
    await becomes('missing', 'ok')
    assert.equal((await install('missing')).status, 200)
  })

  it('is renewed signs with the new one without a restart, also what was signed a moment ago', async () => {
    const signature = async () => verifyPass((await install('renewed')).body, fixture.rootPem, new Date()).signature
    await signature()
    const certificate = await fixture.certify(testBrand('renewed'))
    await until('the new certificate signs', async () => Buffer.from(await signature()).includes(certificate))
  })

  it('is mounted has its end known before any pass is signed, and the new end after it is renewed', async () => {
    const end = () => fixture.metric('stampede_pass_render_certificate_not_after_seconds{brand="watched"}')
    assert.ok(((await end()) ?? 0) > Date.now() / 1_000)
    const notAfter = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 90 * 24 * hourMs)
    await fixture.certify(watched, { notAfter })
    await until('the new end is known', async () => (await end()) === notAfter.getTime() / 1_000)
    fixture.decertify(watched)
    await until('nothing is known any more', async () => (await end()) === undefined)
  })
})
