import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  ConfigError,
  hashApiKey,
  readPlatformConfig,
  StampedeError,
  watchAccess,
  watchBrands,
} from '@stampede/platform'
import { service } from './index.ts'
import { type RunningEnrollment, startEnrollment, testBrand } from './testing/running-enrollment.ts'

const WAIT_MS = 5_000
let enrollment: RunningEnrollment

before(async () => {
  enrollment = await startEnrollment()
})
after(() => enrollment[Symbol.asyncDispose]())

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    assert.ok(performance.now() < deadline, `waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a brand is created, read, and known to the directories of all services', async () => {
  const brand = testBrand('first')
  const created = await enrollment.client.createBrand({ idempotencyKey: 'k-first', brand })
  const defaults = { weight: 10, pushType: 'background', pushPriority: 5, pushExpirationSeconds: 86_400 }
  assert.deepEqual(created.brand, { ...brand, ...defaults })
  assert.deepEqual(await enrollment.client.getBrand({ brand: 'first' }), created)
  await using directory = await watchBrands(enrollment.nats)
  assert.deepEqual(await until('the brand', () => directory.get('first')), created.brand)
})

test('push settings are kept, and known to the directories of all services', async () => {
  const settings = { pushType: 'none', pushPriority: 10, pushExpirationSeconds: 600 }
  const brand = { ...testBrand('urgent'), ...settings }
  const created = await enrollment.client.createBrand({ idempotencyKey: 'k-urgent', brand })
  assert.deepEqual(created.brand, { ...brand, weight: 10 })
  assert.deepEqual(await enrollment.client.getBrand({ brand: 'urgent' }), created)
  await using directory = await watchBrands(enrollment.nats)
  assert.deepEqual(await until('the brand', () => directory.get('urgent')), created.brand)
})

test('the same brand again, under the same key or another, answers with the stored one', async () => {
  const brand = testBrand('again')
  const first = await enrollment.client.createBrand({ idempotencyKey: 'k-again', brand })
  assert.deepEqual(await enrollment.client.createBrand({ idempotencyKey: 'k-again', brand }), first)
  assert.deepEqual(await enrollment.client.createBrand({ idempotencyKey: 'k-again-2', brand }), first)
})

test('a used key with another brand conflicts and changes nothing', async () => {
  await enrollment.client.createBrand({ idempotencyKey: 'k-used', brand: testBrand('used') })
  await assert.rejects(enrollment.client.createBrand({ idempotencyKey: 'k-used', brand: testBrand('unused') }), {
    code: 'IDEMPOTENCY_CONFLICT',
  })
  await assert.rejects(enrollment.client.getBrand({ brand: 'unused' }), { code: 'NOT_FOUND' })
})

test('a slug or a pass type id that is taken is refused', async () => {
  const brand = testBrand('taken')
  await enrollment.client.createBrand({ idempotencyKey: 'k-taken', brand })
  await assert.rejects(
    enrollment.client.createBrand({ idempotencyKey: 'k-taken-2', brand: { ...brand, name: 'Another' } }),
    { code: 'ALREADY_EXISTS', field: 'brand.brand' },
  )
  await assert.rejects(
    enrollment.client.createBrand({
      idempotencyKey: 'k-taken-3',
      brand: { ...testBrand('other'), passTypeId: brand.passTypeId },
    }),
    { code: 'ALREADY_EXISTS', field: 'brand.pass_type_id' },
  )
})

test('a brand is changed, known to the directories, and keeps what installed passes and balances hang on', async () => {
  const { client, nats } = enrollment
  const brand = { ...testBrand('changing'), googleIssuerId: '' }
  await client.createBrand({ idempotencyKey: 'k-changing', brand })
  const wanted = { ...brand, name: 'Changed', weight: 20, domain: 'cards.example.com', googleIssuerId: '33880000' }
  const { brand: changed } = await client.updateBrand({ idempotencyKey: 'u-1', brand: wanted })
  assert.equal(changed?.domain, 'cards.example.com')
  assert.deepEqual((await client.getBrand({ brand: 'changing' })).brand, changed)
  await using directory = await watchBrands(nats)
  await until('the change', () => directory.get('changing')?.domain === 'cards.example.com' || undefined)
  assert.deepEqual((await client.updateBrand({ idempotencyKey: 'u-1', brand: wanted })).brand, changed)
  const fixed = { currency: 'EUR', passTypeId: 'pass.other', teamId: 'OTHERTEAM1', googleIssuerId: '1' }
  for (const [field, value] of Object.entries(fixed)) {
    const request = { idempotencyKey: `u-${field}`, brand: { ...wanted, [field]: value } }
    await assert.rejects(client.updateBrand(request), { code: 'INVALID_ARGUMENT' }, field)
  }
  const badDomain = { idempotencyKey: 'u-2', brand: { ...wanted, domain: 'https://x' } }
  await assert.rejects(client.updateBrand(badDomain), { code: 'INVALID_ARGUMENT', field: 'brand.domain' })
  await assert.rejects(client.updateBrand({ idempotencyKey: 'u-3', brand: testBrand('nobody') }), { code: 'NOT_FOUND' })
})

test('a request without key or brand, or with a wrong field, says which', async () => {
  const brand = testBrand('wrong')
  await assert.rejects(enrollment.client.createBrand({ brand }), { code: 'INVALID_ARGUMENT', field: 'idempotency_key' })
  await assert.rejects(enrollment.client.createBrand({ idempotencyKey: 'k' }), {
    code: 'INVALID_ARGUMENT',
    field: 'brand',
  })
  await assert.rejects(
    enrollment.client.createBrand({ idempotencyKey: 'k', brand: { ...brand, timeZone: 'Mars/Phobos' } }),
    { code: 'INVALID_ARGUMENT', field: 'brand.time_zone' },
  )
})

test('an API key opens its own brand alone, and no longer after it was revoked', async () => {
  const { client, nats, connect } = enrollment
  for (const slug of ['mine', 'yours'])
    await client.createBrand({ idempotencyKey: `k-${slug}`, brand: testBrand(slug) })
  const request = { idempotencyKey: 'key-1', brand: 'mine', role: 'till', label: 'Till 1' }
  const made = await client.createApiKey(request)
  assert.match(made.secret, /^sk_[A-Za-z0-9_-]{43}$/)
  await using access = await watchAccess(nats, readPlatformConfig(enrollment.env))
  const caller = await until('the key', () => access.find(hashApiKey(made.secret)))
  assert.deepEqual(caller, { keyId: made.keyId, role: 'till', brands: ['mine'] })

  const till = connect(made.secret)
  const own = await until('the key to open', () => till.getBrand({ brand: 'mine' }).catch(() => undefined))
  assert.equal(own.brand?.brand, 'mine')
  await assert.rejects(till.getBrand({ brand: 'yours' }), { code: 'NOT_FOUND' })
  await assert.rejects(till.getMemberKeys({ brand: 'mine', memberIds: [made.keyId] }), { code: 'PERMISSION_DENIED' })

  assert.deepEqual(await client.createApiKey(request), { keyId: made.keyId, secret: '' })
  await assert.rejects(client.createApiKey({ ...request, label: 'Till 2' }), { code: 'IDEMPOTENCY_CONFLICT' })

  await assert.rejects(client.revokeApiKey({ brand: 'yours', keyId: made.keyId }), { code: 'NOT_FOUND' })
  await client.revokeApiKey({ brand: 'mine', keyId: made.keyId })
  await client.revokeApiKey({ brand: 'mine', keyId: made.keyId })
  const refusal = await until('the revocation', () =>
    till.getBrand({ brand: 'mine' }).then(
      () => undefined,
      (error: unknown) => error,
    ),
  )
  assert.equal(refusal instanceof StampedeError && refusal.code, 'UNAUTHENTICATED')
  assert.equal(access.find(hashApiKey(made.secret)), undefined)
})

test('the secret of a key is nowhere in the database', async () => {
  await enrollment.client.createBrand({ idempotencyKey: 'k-secret', brand: testBrand('secret') })
  const request = { idempotencyKey: 'key-2', brand: 'secret', role: 'support', label: 'Desk' }
  const { secret, keyId } = await enrollment.client.createApiKey(request)
  const rows = await enrollment.database.query<{ row: string }>(
    'SELECT api_key::text AS row FROM api_key WHERE key_id = $1',
    [keyId],
  )
  assert.equal(rows.length, 1)
  assert.ok(rows.every(({ row }) => row.includes(hashApiKey(secret)) && !row.includes(secret)))
})

test('keys with a role that is none, without label or for no brand are refused', async () => {
  const request = { idempotencyKey: 'key-3', brand: 'first', role: 'till', label: 'x' }
  const { client } = enrollment
  await assert.rejects(client.createApiKey({ ...request, role: 'admin' }), { code: 'INVALID_ARGUMENT', field: 'role' })
  await assert.rejects(client.createApiKey({ ...request, label: '' }), { code: 'INVALID_ARGUMENT', field: 'label' })
  await assert.rejects(client.createApiKey({ ...request, brand: 'nobody' }), { code: 'NOT_FOUND' })
  await assert.rejects(client.revokeApiKey({ brand: 'first', keyId: 'x' }), {
    code: 'INVALID_ARGUMENT',
    field: 'key_id',
  })
})

test('a service with another master key refuses to start and names the variable', async () => {
  const env = { ...enrollment.env, STAMPEDE_ENROLLMENT_MASTER_KEY: randomBytes(32).toString('base64') }
  await assert.rejects(
    service.start(env),
    (error: unknown) => error instanceof ConfigError && error.message.includes('STAMPEDE_ENROLLMENT_MASTER_KEY'),
  )
})
