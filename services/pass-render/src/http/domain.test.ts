import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { verifyPass } from '@stampede/pkpass'
import { subjects } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const brand = testBrand('alpha')
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([brand])
  await fixture.client.putTemplate({ idempotencyKey: 'domain', brand: brand.brand, template: testTemplate() })
})
after(() => fixture[Symbol.asyncDispose]())

it('a domain of the brand’s own is in its links and passes, once the brand has it', async () => {
  const upserted = await fixture.client.upsertPass({ brand: brand.brand, cardNumber: '4000123' })
  const path = new URL(upserted.pass?.appleUrl ?? '').pathname
  const serviceOf = async (): Promise<string | undefined> => {
    const answer = await fixture.web('GET', path)
    return verifyPass(answer.body, fixture.rootPem, new Date()).pass.webServiceURL
  }
  assert.equal(await serviceOf(), `https://localhost:${fixture.service.webPort}`)
  const moved = { ...brand, domain: 'cards.alpha.example' }
  await fixture.nats.jetstream.publish(subjects.brandKey(brand.brand), JSON.stringify(moved))
  await until('the domain', async () => (await serviceOf()) === 'https://cards.alpha.example')
  const card = await fixture.client.getCard({ brand: brand.brand, cardNumber: '4000123' })
  for (const url of [card.pass?.appleUrl, card.installUrl])
    assert.match(url ?? '', /^https:\/\/cards\.alpha\.example\//)
})
