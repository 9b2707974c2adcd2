import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, it } from 'node:test'
import { subjects } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { Event } from '@stampede/proto/events/v1'
import { CallbackSigner } from '@stampede/sandbox'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const info = testBrand('alpha')
const { brand, googleIssuerId } = info
const google = new CallbackSigner(Date.now())
let keys: Server
let asked = 0
let fixture: Fixture

before(async () => {
  keys = createServer((_, response) => {
    asked++
    response.setHeader('Cache-Control', 'max-age=3600').end(JSON.stringify(google.rootKeys()))
  })
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`
  fixture = await Fixture.start([info], { STAMPEDE_GOOGLE_ROOT_KEYS_URL: url })
  await fixture.client.putTemplate({ idempotencyKey: 'card', brand, template: testTemplate() })
})
after(async () => {
  await fixture[Symbol.asyncDispose]()
  keys.close()
})

async function send(body: unknown): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  return (await fixture.web('POST', `/google/callback/${brand}`, headers, JSON.stringify(body))).status
}

async function isSaved(): Promise<boolean | undefined> {
  return (await fixture.client.getCard({ brand, cardNumber: 'G-1' })).pass?.googleSaved
}

it('a saved and a removed card are known as such; what is repeated or forged changes nothing', async () => {
  const { pass } = await fixture.client.upsertPass({ brand, cardNumber: 'G-1' })
  const objectId = pass?.googleObjectId ?? ''
  const save = google.callback(googleIssuerId, { objectId, eventType: 'save' })
  assert.equal(await isSaved(), false)
  assert.equal(await send(save), 200)
  assert.equal(await isSaved(), true)
  await until('it is told to others', async () => {
    const events = await fixture.payloads('EVENTS', subjects.pass(brand), 0)
    return events.some((bytes) => {
      const { payload } = Event.decode(bytes)
      return payload?.$case === 'pass' && payload.value.serial === pass?.serial && payload.value.googleSaved
    })
  })
  assert.equal(await send(google.callback(googleIssuerId, { objectId, eventType: 'del' })), 200)
  assert.equal(await isSaved(), false)
  assert.equal(await send(save), 200, 'a repeat is taken and does nothing')
  assert.equal(await isSaved(), false)
  const forger = new CallbackSigner(Date.now())
  for (let attempt = 0; attempt < 5; attempt++) {
    assert.equal(await send(forger.callback(googleIssuerId, { objectId, eventType: 'save' })), 401)
  }
  assert.equal(await isSaved(), false)
  assert.equal(await send({ signature: 'x' }), 400)
  assert.equal(await send(google.callback(googleIssuerId, { objectId: 'of.another' })), 200)
  assert.equal(asked, 1, 'forged signatures make nobody ask Google again')
  const robots = await fixture.web('GET', '/robots.txt')
  assert.match(robots.body.toString(), /Googlebot\nAllow: \/google\//)
})
