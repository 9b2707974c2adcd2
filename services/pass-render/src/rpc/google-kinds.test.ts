import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { subjects } from '@stampede/platform'
import { GoogleWork } from '@stampede/proto/push/v1'
import { checkGoogleResource } from '@stampede/sandbox'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const info = testBrand('alpha')
const { brand, googleIssuerId } = info
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([info])
  for (const templateId of ['summer', 'winter']) {
    const template = testTemplate({ style: 'coupon', logoText: templateId })
    await fixture.client.putTemplate({ idempotencyKey: templateId, brand, templateId, template })
  }
})
after(() => fixture[Symbol.asyncDispose]())

/** The newest desired state of a resource, as the sandbox's Google takes it. */
async function desired(kind: 'offerClass' | 'offerObject', id: string) {
  const [bytes] = await fixture.payloads('PUSH_GOOGLE', subjects.google(googleIssuerId, kind, id), 1)
  const work = GoogleWork.decode(bytes ?? new Uint8Array())
  const resource = JSON.parse(work.resourceJson)
  assert.deepEqual([work.kind, checkGoogleResource(kind, resource)], [kind, undefined])
  return resource
}

async function coupon(templateId: string) {
  const { pass } = await fixture.client.upsertPass({ brand, cardNumber: 'C-1', templateId })
  assert.ok(pass !== undefined)
  return pass
}

describe('a coupon at Google', () => {
  it('is an offer of its template’s class, and so says its save link', async () => {
    const pass = await coupon('summer')
    const object = await desired('offerObject', pass.googleObjectId)
    assert.equal((await desired('offerClass', object.classId)).title, 'summer')
    const jwt = pass.googleSaveUrl.replace('https://pay.google.com/gp/v/save/', '')
    assert.ok(jwt.length <= 1_800)
    const { payload } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    assert.deepEqual(payload, { offerObjects: [{ id: object.id, classId: object.classId }] })
  })

  it('becomes another object with another template, and the one it leaves is over', async () => {
    const before = await coupon('summer')
    const after = await coupon('winter')
    assert.notEqual(before.googleObjectId, after.googleObjectId)
    const object = await desired('offerObject', after.googleObjectId)
    assert.equal((await desired('offerClass', object.classId)).title, 'winter')
    const [, ended] = await fixture.payloads(
      'PUSH_GOOGLE',
      subjects.google(googleIssuerId, 'offerObject', before.googleObjectId),
      1,
    )
    assert.equal(ended, undefined, 'the stream keeps the newest only')
    assert.equal((await desired('offerObject', before.googleObjectId)).state, 'EXPIRED')
  })

  it('stays a coupon: another style is another template', async () => {
    const template = testTemplate({ style: 'store_card' })
    const other = fixture.client.putTemplate({ idempotencyKey: 'style', brand, templateId: 'summer', template })
    await assert.rejects(other, { code: 'INVALID_ARGUMENT', field: 'template.style' })
  })
})
