import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { service } from '@stampede/enrollment'
import { createClient, createMetrics, readPlatformConfig, type ServiceClient } from '@stampede/platform'
import { platformEnv, testKeys, testNats, testPostgres } from '@stampede/platform/testing'
import { EnrollmentServiceService } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import type { Brand, BrandSpec } from '../crd/brand.ts'
import { createOperatorMetrics } from '../metrics.ts'
import { platformPart } from './platform.ts'

const stack = new AsyncDisposableStack()
let enrollment: ServiceClient<typeof EnrollmentServiceService>
let stranger: ServiceClient<typeof EnrollmentServiceService>

before(async () => {
  const postgres = stack.use(await testPostgres())
  const nats = stack.use(await testNats())
  const keys = testKeys()
  const extra = { STAMPEDE_ENROLLMENT_MASTER_KEY: randomBytes(32).toString('base64') }
  const env = platformEnv({ postgres, nats, keys, extra })
  const running = stack.use(await service.start(env))
  const to = { address: `127.0.0.1:${running.grpcPort}`, platform: readPlatformConfig(env) }
  enrollment = stack.use(createClient(EnrollmentServiceService, { ...to, apiKey: keys.rootKey }))
  stranger = stack.use(createClient(EnrollmentServiceService, { ...to, apiKey: 'sk_nobody' }))
})
after(() => stack.disposeAsync())

const told: string[] = []

/** What of the context this part touches. */
function contextOf(client: typeof enrollment): Context {
  const metrics = createOperatorMetrics(createMetrics('operator'))
  const events = { record: (_: unknown, { reason }: { reason: string }) => void told.push(reason) }
  return { enrollment: client, metrics, events } as unknown as Context
}

function brand(name: string, spec: Partial<BrandSpec> = {}): Brand {
  const given = {
    displayName: 'Acme',
    timeZone: 'Europe/London',
    currency: 'GBP',
    contact: '',
    weight: 10,
    maxBulkPerSecond: 0,
    deletionPolicy: 'Retain',
    apple: { passTypeIdentifier: `pass.com.${name}`, teamId: 'DEMOTEAM01', certificateType: 'PassTypeId', mode: 'Api' },
    ...spec,
  } as const
  return {
    apiVersion: 'stampede.dev/v1alpha1',
    kind: 'Brand',
    metadata: { namespace: 'x', name, uid: name },
    spec: given,
  }
}

async function conditionOf(client: typeof enrollment, one: Brand) {
  const outcome = await platformPart(contextOf(client), one)
  return outcome?.conditions[0]
}

async function row(name: string) {
  return (await enrollment.getBrand({ brand: name })).brand
}

test('a brand’s row is created, follows its Brand, and keeps what others have set', async () => {
  assert.equal((await conditionOf(enrollment, brand('acme')))?.status, 'True')
  const created = await row('acme')
  assert.deepEqual([created?.name, created?.passTypeId, created?.domain], ['Acme', 'pass.com.acme', ''])
  await enrollment.updateBrand({ idempotencyKey: 'by-hand', brand: { ...created, pushType: 'none', weight: 50 } })
  const changed = brand('acme', {
    displayName: 'Acme Club',
    domain: 'cards.acme.example',
    google: { issuerId: '3388000000012345678', serviceAccountSecretRef: { name: 'x', key: 'y' } },
  })
  for (const one of [changed, changed]) assert.equal((await conditionOf(enrollment, one))?.status, 'True')
  const updated = await row('acme')
  assert.deepEqual(
    [updated?.name, updated?.domain, updated?.googleIssuerId, updated?.weight, updated?.pushType],
    ['Acme Club', 'cards.acme.example', '3388000000012345678', 10, 'none'],
  )
})

test('what the platform refuses, or a key that it does not know, is said in the condition', async () => {
  await conditionOf(enrollment, brand('first'))
  const { apple } = brand('first').spec
  const refused = await conditionOf(enrollment, brand('second', { apple }))
  assert.deepEqual([refused?.status, refused?.reason], ['False', 'RefusedByPlatform'])
  assert.match(refused?.message ?? '', /pass type id/)
  assert.equal((await conditionOf(stranger, brand('third')))?.reason, 'RefusedByPlatform')
  assert.ok(told.includes('RefusedByPlatform'))
})

test('without an address the row is not the operator’s business', async () => {
  assert.equal(await platformPart({ enrollment: undefined } as unknown as Context, brand('none')), undefined)
})
