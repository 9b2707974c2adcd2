import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { credentialShard, parseAppleCredential, parseGoogleCredential, type RunningService } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { certificatePemOf } from '../apple/certificate.ts'
import { brands } from '../crd/brand.ts'
import { ingresses, type KubeObject, leases, nameOf, secrets } from '../kernel/index.ts'
import { namespace, readYaml } from '../testing/cluster.ts'
import { findKubePrograms } from '../testing/index.ts'
import { ACCOUNT, type OperatorRig, passTypeOf, SHARDS, startOperatorRig, TEAM } from '../testing/operator-rig.ts'
import type { Tripwire } from '../testing/tripwire.ts'
import { type RoleRule, rightsOf, usedRights } from '../testing/used-rights.ts'

const skip = findKubePrograms() === undefined ? 'no kube-apiserver' : false
const ISSUER = '3388000000012345678'
let rig: OperatorRig
let operator: RunningService
let wire: Tripwire

before(async () => {
  if (skip !== false) return
  rig = await startOperatorRig()
  const through = await rig.throughWire()
  wire = through.wire
  operator = await rig.start({ ...through.env, STAMPEDE_OPERATOR_INGRESS_SERVICE: 'stampede-pass-render' })
})
afterEach(() => rig?.sandbox.setFaults({ appstore: calm }))
after(async () => {
  await operator?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
})

const calm = {
  failAfterIssuingShare: 0,
  loseAnswerShare: 0,
  failShare: 0,
  throttleShare: 0,
  refuseShare: 0,
  delayMs: 0,
  lifeSeconds: 31_536_000,
}
const apple = (name: string) => ({ passTypeIdentifier: passTypeOf(name), teamId: TEAM })

/** An entry of the Secret that pods mount. */
async function published(name: string, file: 'apple.pem' | 'google.json' = 'apple.pem'): Promise<string | undefined> {
  const number = credentialShard(name).slice('shard-'.length)
  const data = (await rig.secret(`${SHARDS}-${number}`))?.data?.[`${name}.${file}`]
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString()
}

async function fingerprintOf(name: string): Promise<string | undefined> {
  const text = await published(name)
  return text === undefined ? undefined : parseAppleCredential(text).fingerprint
}

async function once(name: string, certificates = 1): Promise<void> {
  assert.deepEqual(rig.counts(name), { certificates, keys: certificates, revocations: 0, deletions: 0 })
}

test('a Brand gets pass type id, key, certificate and its entry in the Secret that pods mount', { skip }, async () => {
  await rig.applyBrand('acme')
  const { status } = await rig.ready('acme')
  const credential = parseAppleCredential((await published('acme')) ?? '')
  assert.equal(credential.wwdrPem, rig.sandbox.authority.wwdrPem)
  assert.equal(status?.certificate?.fingerprint, credential.fingerprint)
  const { subject } = new X509Certificate(credential.certPem)
  assert.match(subject, new RegExp(`UID=${passTypeOf('acme')}\n.*\nOU=${TEAM}`))
  const conditions = status?.conditions?.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`)
  assert.deepEqual(conditions?.toSorted(), [
    'CertificateReady True Valid',
    'Issuing False NotDue',
    'Published True Published',
    'Ready True Ready',
  ])
  await once('acme')
})

test('an AppleAccount says whether its key works', { skip }, async () => {
  const { appleAccounts } = await import('../crd/apple-account.ts')
  const read = async () => (await rig.cluster.admin.get(appleAccounts, { namespace, name: ACCOUNT }))?.status
  await until('the account is ready', async () => (await read())?.conditions?.[0]?.reason === 'KeyAccepted')
})

test('a pass type id that exists is adopted; another team’s is refused', { skip }, async () => {
  const { appStoreToken, callAppStore } = await import('@stampede/sandbox/testing')
  const make = async (team: string, name: string) => {
    const attributes = { identifier: passTypeOf(name), name: 'Made by hand' }
    const body = { data: { type: 'passTypeIds', attributes } }
    const token = appStoreToken(rig.sandbox.appStoreKey(team))
    assert.equal((await callAppStore(rig.sandbox, token, 'POST', '/v1/passTypeIds', body)).status, 201)
  }
  await make(TEAM, 'adopted')
  await make('OTHERTEAM1', 'foreign')
  await rig.applyBrand('adopted')
  await rig.ready('adopted')
  await once('adopted')
  await rig.applyBrand('foreign')
  const refused = await rig.condition('foreign', 'Issuing', ({ reason }) => reason === 'RefusedByApple')
  assert.match(refused.message, /not available; next attempt/)
})

test('failing after issuing and lost answers lead to one certificate: it is found by its key', { skip }, async () => {
  for (const [name, fault] of [
    ['fail-after', 'failAfterIssuingShare'],
    ['lost', 'loseAnswerShare'],
  ] as const) {
    rig.sandbox.setFaults({ appstore: { [fault]: 1 } })
    await rig.applyBrand(name)
    await rig.ready(name)
    await once(name)
    rig.sandbox.setFaults({ appstore: { [fault]: 0 } })
  }
})

test('after 429 nothing is asked until the time is over, then it goes on; no certificate is made twice', {
  skip,
}, async () => {
  rig.sandbox.setFaults({ appstore: { throttleShare: 1, retryAfterSeconds: 2 } })
  await rig.applyBrand('throttled')
  await rig.condition('throttled', 'Issuing', ({ reason }) => reason === 'RateLimited')
  rig.sandbox.setFaults({ appstore: { throttleShare: 0 } })
  const { attempts } = (await rig.ready('throttled')).status ?? {}
  assert.equal(attempts, undefined)
  await once('throttled')
})

test('a key that Apple refuses is said so, and a new key is tried at once', { skip }, async () => {
  const { privateKeyPem } = rig.sandbox.appStoreKey(TEAM)
  const stranger = rig.sandbox.appStoreKey('OTHERTEAM1')
  await rig.putSecret('appstore-key', { 'AuthKey.p8': stranger.privateKeyPem })
  await rig.applyBrand('refused')
  await rig.condition('refused', 'Issuing', ({ reason }) => reason === 'KeyRefused')
  await rig.putSecret('appstore-key', { 'AuthKey.p8': privateKeyPem })
  // Any change of the Brand has it looked at; without one it would be the hour's next try.
  await rig.applyBrand('refused', { weight: 11 })
  await rig.ready('refused')
  await once('refused')
})

test('a certificate is renewed at two thirds of its life; the old one stays, nothing is revoked', {
  skip,
}, async () => {
  rig.sandbox.setFaults({ appstore: { lifeSeconds: 18 } })
  await rig.applyBrand('rotating')
  const first = (await rig.ready('rotating')).status?.certificate
  rig.sandbox.setFaults({ appstore: { lifeSeconds: 31_536_000 } })
  await until('the second certificate is published', async () => {
    const now = await fingerprintOf('rotating')
    return now !== undefined && now !== first?.fingerprint
  })
  const revision = async () => (await rig.brand('rotating'))?.status?.certificate?.revision
  await until('the status says so', async () => (await revision()) === 2)
  assert.ok(Date.now() < Date.parse(first?.notAfter ?? ''), 'it came after the end of the first')
  for (const revision of [1, 2]) assert.ok((await rig.secret(`rotating-apple-${revision}`))?.data?.['certificate.pem'])
  await once('rotating', 2)
})

test('with NFC wanted later, another certificate is issued for it', { skip }, async () => {
  await rig.applyBrand('nfc')
  await rig.ready('nfc')
  const more = { ...apple('nfc'), accountRef: { name: ACCOUNT }, certificateType: 'PassTypeIdWithNfc' as const }
  await rig.applyBrand('nfc', { apple: { ...more, mode: 'Api' } })
  await rig.ready('nfc')
  const { certPem } = parseAppleCredential((await published('nfc')) ?? '')
  assert.match(new X509Certificate(certPem).subject, /CN=Pass Type ID with NFC:/)
  await once('nfc', 2)
})

test('by hand: the request is handed out, the certificate taken from a Secret, a foreign one refused', {
  skip,
}, async () => {
  const { appStoreToken, callAppStore, testCsr } = await import('@stampede/sandbox/testing')
  const certificateSecretRef = { name: 'manual-certificate', key: 'pass.cer' }
  await rig.applyBrand('manual', { apple: { ...apple('manual'), mode: 'Manual', certificateSecretRef } as never })
  const waiting = await rig.condition('manual', 'Issuing', ({ reason }) => reason === 'AwaitingCertificate')
  assert.match(waiting.message, /certificateSigningRequest/)
  const csr = (await rig.brand('manual'))?.status?.certificateSigningRequest ?? ''
  assert.match(csr, /^-----BEGIN CERTIFICATE REQUEST-----/)
  const portal = async (csrContent: string): Promise<Buffer> => {
    const token = appStoreToken(rig.sandbox.appStoreKey(TEAM))
    const call = (method: string, path: string, body?: object) => callAppStore(rig.sandbox, token, method, path, body)
    const found = await call('GET', `/v1/passTypeIds?filter[identifier]=${passTypeOf('manual')}`)
    const id = (found.body['data'] as { id: string }[])[0]?.id
    const relationships = { passTypeId: { data: { type: 'passTypeIds', id } } }
    const data = { type: 'certificates', attributes: { certificateType: 'PASS_TYPE_ID', csrContent }, relationships }
    const made = await call('POST', '/v1/certificates', { data })
    const { attributes } = made.body['data'] as { attributes: { certificateContent: string } }
    return Buffer.from(attributes.certificateContent, 'base64')
  }
  const token = appStoreToken(rig.sandbox.appStoreKey(TEAM))
  const attributes = { identifier: passTypeOf('manual'), name: 'Manual' }
  await callAppStore(rig.sandbox, token, 'POST', '/v1/passTypeIds', { data: { type: 'passTypeIds', attributes } })
  const label = { 'stampede.dev/brand': 'manual' }
  const foreign = certificatePemOf(await portal(testCsr())) ?? ''
  await rig.putSecret('manual-certificate', { 'pass.cer': foreign }, label)
  await rig.condition('manual', 'Issuing', ({ reason }) => reason === 'WrongCertificate')
  const fitting = certificatePemOf(await portal(csr)) ?? ''
  await rig.putSecret('manual-certificate', { 'pass.cer': fitting }, label)
  const { status } = await rig.ready('manual')
  assert.equal(status?.certificateSigningRequest, undefined)
  assert.equal(await fingerprintOf('manual'), new X509Certificate(fitting).fingerprint256)
})

test('Google’s issuer and service account are checked, and published only when they fit', { skip }, async () => {
  const account = rig.sandbox.serviceAccount(ISSUER)
  const json = JSON.stringify({ client_email: account.clientEmail, private_key: account.privateKeyPem })
  const google = (issuerId: string) => ({ issuerId, serviceAccountSecretRef: { name: 'google', key: 'key.json' } })
  await rig.applyBrand('googly', { google: google(ISSUER) })
  await rig.condition('googly', 'GoogleReady', ({ reason }) => reason === 'ServiceAccountNotFound')
  assert.equal(await published('googly', 'google.json'), undefined)
  await rig.putSecret('google', { 'key.json': json }, { 'stampede.dev/brand': 'googly' })
  await rig.ready('googly')
  assert.equal(parseGoogleCredential((await published('googly', 'google.json')) ?? '').clientEmail, account.clientEmail)
  await rig.applyBrand('other-issuer', { google: google('3388000000099999999') })
  await rig.condition('other-issuer', 'GoogleReady', ({ reason }) => reason === 'IssuerDenied')
  await rig.putSecret('google', { 'key.json': '{}' }, { 'stampede.dev/brand': 'other-issuer' })
  await rig.condition('other-issuer', 'GoogleReady', ({ reason }) => reason === 'InvalidServiceAccount')
})

test('brands of one shard do not touch each other, and entries of people stay', { skip }, async () => {
  const shard = credentialShard('acme')
  const names = Array.from({ length: 2000 }, (_, at) => `n${at}`)
  const [left = '', right = ''] = names.filter((name) => credentialShard(name) === shard)
  const secret = `${SHARDS}-${shard.slice('shard-'.length)}`
  await rig.cluster.admin.patch(secrets, { namespace, name: secret }, { data: { 'by.hand': 'eA==' } })
  await Promise.all([rig.applyBrand(left), rig.applyBrand(right)])
  await Promise.all([rig.ready(left), rig.ready(right)])
  const data = Object.keys((await rig.secret(secret))?.data ?? {})
  for (const entry of ['acme.apple.pem', `${left}.apple.pem`, `${right}.apple.pem`, 'by.hand'])
    assert.ok(data.includes(entry), `${entry} of ${data.join(' ')}`)
})

test('two operators that both believe to lead make one certificate per brand', { skip }, async () => {
  await using _second = await rig.start({ STAMPEDE_OPERATOR_LEASE: 'another', STAMPEDE_OPERATOR_SETTLE_SECONDS: '30' })
  const lease = { namespace, name: 'another' }
  await until('the second leads', async () => (await rig.cluster.admin.get(leases, lease)) !== undefined)
  rig.sandbox.setFaults({ appstore: { delayMs: 100 } })
  const names = Array.from({ length: 12 }, (_, at) => `both-${at}`)
  await Promise.all(names.map((name) => rig.applyBrand(name)))
  for (const name of names) await rig.ready(name, 60_000)
  for (const name of names) await once(name)
})

test('of two Brands with one pass type id the younger one waits, with the reason in its status', { skip }, async () => {
  await rig.applyBrand('twin', { apple: { ...apple('acme'), accountRef: { name: ACCOUNT } } as never })
  const { message } = await rig.condition('twin', 'Ready', ({ reason }) => reason === 'PassTypeTaken')
  assert.match(message, /Brand acme has/)
  await once('acme')
})

test('a new domain gets an ingress with TLS, the former one keeps its own', { skip }, async () => {
  await rig.applyBrand('shop', { domain: 'cards.shop.example' })
  await rig.ready('shop')
  await rig.applyBrand('shop', { domain: 'club.shop.example' })
  const { status } = await rig.ready('shop')
  assert.deepEqual(status?.domains, ['club.shop.example', 'cards.shop.example'])
  const labelSelector = 'stampede.dev/brand=shop'
  const { items } = await rig.cluster.admin.list(ingresses, { namespace, labelSelector })
  const hosts = items.map(({ spec }) => (spec as { tls: { hosts: string[] }[] }).tls[0]?.hosts[0])
  assert.deepEqual(hosts.toSorted(), ['cards.shop.example', 'club.shop.example'])
  await rig.applyBrand('thief', { domain: 'cards.shop.example' })
  await rig.condition('thief', 'Ready', ({ reason }) => reason === 'DomainTaken')
})

async function remove(name: string): Promise<void> {
  await rig.cluster.admin.delete(brands, { namespace, name })
  await until(`${name} is gone`, async () => (await rig.brand(name)) === undefined)
}

test('deletion retains everything by default, and the same Brand takes it up again', { skip }, async () => {
  await rig.applyBrand('kept')
  await rig.ready('kept')
  const fingerprint = await fingerprintOf('kept')
  await remove('kept')
  assert.equal(await fingerprintOf('kept'), fingerprint)
  await rig.applyBrand('kept')
  await rig.ready('kept')
  assert.equal(await fingerprintOf('kept'), fingerprint)
  await once('kept')
})

test('deletion revokes when told so and confirmed: only what this Brand made', { skip }, async () => {
  await rig.applyBrand('revoked')
  await rig.ready('revoked')
  await rig.applyBrand('revoked', { deletionPolicy: 'Revoke', confirmRevocation: passTypeOf('revoked') })
  await rig.ready('revoked')
  rig.sandbox.setFaults({ appstore: { failShare: 1 } })
  await rig.cluster.admin.delete(brands, { namespace, name: 'revoked' })
  await until('Apple’s outage is told', async () => {
    const found = (await rig.brand('revoked'))?.status?.conditions?.find(({ type }) => type === 'Ready')
    return found?.reason === 'Deleting'
  })
  assert.equal(rig.counts('revoked')?.revocations, 0)
  rig.sandbox.setFaults({ appstore: { failShare: 0 } })
  await rig.applyBrand('revoked', { deletionPolicy: 'Revoke', confirmRevocation: passTypeOf('revoked'), weight: 12 })
  await until('it is gone', async () => (await rig.brand('revoked')) === undefined)
  assert.deepEqual(rig.counts('revoked'), { certificates: 1, keys: 1, revocations: 1, deletions: 0 })
  assert.equal(await published('revoked'), undefined)
  assert.equal(await rig.secret('revoked-apple-1'), undefined)
})

test('a certificate that was damaged is replaced; a key that was destroyed does not stop the next', {
  skip,
}, async () => {
  await rig.applyBrand('damaged')
  const first = (await rig.ready('damaged')).status?.certificate
  const secret = await rig.secret('damaged-apple-1')
  assert.ok(secret)
  await rig.cluster.admin.patch(secrets, nameOf(secret), { data: { 'certificate.pem': 'eA==' } })
  await rig.applyBrand('damaged', { weight: 12 })
  await until('another certificate is published', async () => (await fingerprintOf('damaged')) !== first?.fingerprint)
  await once('damaged', 2)
})

test('metrics tell when each certificate ends, and forget brands that are gone', { skip }, async () => {
  const read = async () => (await fetch(`http://127.0.0.1:${operator.httpPort}/metrics`)).text()
  const { certificate } = (await rig.brand('acme'))?.status ?? {}
  const ends = Date.parse(certificate?.notAfter ?? '') / 1000
  assert.match(
    await read(),
    new RegExp(`stampede_operator_certificate_expiry_timestamp_seconds\\{brand="acme"\\} ${ends}\n`),
  )
  assert.doesNotMatch(await read(), /brand="revoked"/)
})

test('the Role holds what was used here and no more', { skip }, async () => {
  await rig.applyBrand('moving', { domain: 'cards.moving.example' })
  await rig.ready('moving')
  await rig.applyBrand('moving', { deletionPolicy: 'Revoke', confirmRevocation: passTypeOf('moving') })
  await rig.ready('moving')
  await remove('moving')
  const { rules } = readYaml<KubeObject & { readonly rules: readonly RoleRule[] }>('operator/rbac.yaml')
  const appliedMissing = (resource: string) => resource === 'networking.k8s.io/ingresses' || resource === '/secrets'
  const used = usedRights(wire.passed, appliedMissing)
  const granted = rightsOf(rules)
  // An event that comes again within five minutes is only counted; the kernel's own tests write it.
  const unseen = new Set(['patch events.k8s.io/events'])
  assert.deepEqual(
    [...granted].filter((right) => !used.has(right) && !unseen.has(right)),
    [],
    'granted, not used',
  )
  assert.deepEqual(
    [...used].filter((right) => !granted.has(right)),
    [],
    'used, not granted',
  )
})
