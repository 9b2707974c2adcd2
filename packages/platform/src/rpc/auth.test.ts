import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { describe, it } from 'node:test'
import { StampedeError } from '../errors.ts'
import { keys, startFixture } from './fixture.ts'

type Outcome = 'ok' | string

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call
    return 'ok'
  } catch (error) {
    assert.ok(error instanceof StampedeError)
    return error.code
  }
}

/** Key, brand, and what becomes of a write of stores, a read of stores, and keys of members. */
const matrix: readonly (readonly [string, string, Outcome, Outcome, Outcome])[] = [
  [keys.root, 'one', 'ok', 'ok', 'PERMISSION_DENIED'],
  [keys.service, 'one', 'PERMISSION_DENIED', 'ok', 'ok'],
  [keys.brandAdmin, 'one', 'ok', 'ok', 'PERMISSION_DENIED'],
  [keys.brandAdmin, 'two', 'NOT_FOUND', 'NOT_FOUND', 'PERMISSION_DENIED'],
  [keys.till, 'one', 'PERMISSION_DENIED', 'ok', 'PERMISSION_DENIED'],
  [keys.till, 'two', 'PERMISSION_DENIED', 'NOT_FOUND', 'PERMISSION_DENIED'],
  [keys.support, 'one', 'PERMISSION_DENIED', 'ok', 'PERMISSION_DENIED'],
  [keys.marketer, 'two', 'PERMISSION_DENIED', 'ok', 'PERMISSION_DENIED'],
  [keys.marketer, 'three', 'PERMISSION_DENIED', 'NOT_FOUND', 'PERMISSION_DENIED'],
  [keys.root, '', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'PERMISSION_DENIED'],
  [keys.till, 'No Slug', 'PERMISSION_DENIED', 'INVALID_ARGUMENT', 'PERMISSION_DENIED'],
  ['sk_unknown', 'one', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED'],
]

describe('access', () => {
  it('is what key, role and brand allow, by gRPC and by JSON alike', async () => {
    await using fixture = await startFixture()
    for (const [key, brand, write, read, memberKeys] of matrix) {
      await using geo = fixture.geo(key)
      await using enrollment = fixture.enrollment(key)
      const byGrpc = [
        await outcomeOf(geo.putStores({ brand, idempotencyKey: 'k' })),
        await outcomeOf(geo.listStores({ brand })),
        await outcomeOf(enrollment.getMemberKeys({ brand })),
      ]
      assert.deepEqual(byGrpc, [write, read, memberKeys], `gRPC, ${key} for "${brand}"`)
      if (brand === '') continue
      const path = `/v1/brands/${encodeURIComponent(brand)}`
      const answers = await Promise.all([
        fixture.json(`${path}/stores`, { method: 'PUT', body: '{}', apiKey: key }),
        fixture.json(`${path}/stores`, { apiKey: key }),
        fixture.json(`${path}/member-keys:get`, { method: 'POST', body: '{}', apiKey: key }),
      ])
      const byJson = await Promise.all(
        answers.map(async (answer) => {
          const body = (await answer.json()) as { error?: { code: string } }
          return body.error?.code ?? 'ok'
        }),
      )
      assert.deepEqual(byJson, [write, read, memberKeys], `JSON, ${key} for "${brand}"`)
    }
  })

  it('answers the same, byte for byte, for what is not yours and what is not there', async () => {
    await using fixture = await startFixture()
    const notThere = await fixture.json('/v1/brands/gone/stores')
    const notYours = await fixture.json('/v1/brands/gone/stores', { apiKey: keys.till })
    assert.equal(notThere.status, 404)
    assert.equal(notYours.status, 404)
    assert.equal(await notYours.text(), await notThere.text())
  })

  it('to what concerns no single brand is for callers of all brands', async () => {
    await using fixture = await startFixture()
    await using root = fixture.enrollment(keys.root)
    await using brandAdmin = fixture.enrollment(keys.brandAdmin)
    const newBrand = { idempotencyKey: 'k', brand: { brand: 'new', name: 'New' } }
    assert.equal((await root.createBrand(newBrand)).brand?.name, 'New')
    assert.equal(await outcomeOf(brandAdmin.createBrand(newBrand)), 'PERMISSION_DENIED')
  })

  it('needs a well-formed bearer key', async () => {
    await using fixture = await startFixture()
    for (const authorization of ['', 'Bearer', 'Basic c2tfcm9vdDo=', keys.root, `Bearer ${keys.root} x`]) {
      const answer = await fixture.json('/v1/brands/one/stores', { headers: { authorization } })
      assert.equal(answer.status, 401, authorization)
    }
  })

  it('a request of a stranger is refused before its body is read', async () => {
    await using fixture = await startFixture()
    const { hostname, port } = new URL(fixture.base)
    const sent = request({ hostname, port, path: '/v1/brands/one/stores', method: 'PUT' })
    sent.write('{')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    assert.equal(answer.statusCode, 401)
    sent.destroy()
  })
})
