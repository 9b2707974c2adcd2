import assert from 'node:assert/strict'
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createMetrics, systemClock } from '@stampede/platform'
import { testClock } from '@stampede/platform/testing'
import { type AppStoreKey, createAppStoreKey, type Sandbox } from '@stampede/sandbox'
import { startTestSandbox } from '@stampede/sandbox/testing'
import { createHttpsJson, type HttpsJson } from '../https-json.ts'
import { TemporaryError } from '../kernel/index.ts'
import { createOperatorMetrics } from '../metrics.ts'
import { certificatePemOf, readCertificate } from './certificate.ts'
import { type AppStore, createAppStore } from './client.ts'
import { AppStoreError, type AppStoreErrorCode } from './errors.ts'
import { createCsr, generateKeyPem } from './key.ts'
import { createTokenSource } from './token.ts'

const TEAM = 'DEMOTEAM01'
let sandbox: Sandbox
let https: HttpsJson
let key: AppStoreKey
let store: AppStore

function connect(of: AppStoreKey, port = sandbox.appStorePort): AppStore {
  const { apple } = createOperatorMetrics(createMetrics('operator'))
  return createAppStore({
    url: new URL(`https://localhost:${port}`),
    key: of,
    https,
    clock: systemClock,
    metrics: apple,
  })
}

function code(expected: AppStoreErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppStoreError && error.code === expected
}

before(async () => {
  sandbox = await startTestSandbox()
  https = createHttpsJson(sandbox.authority.webRootPem)
  key = sandbox.appStoreKey(TEAM)
  store = connect(key)
})
after(async () => {
  https[Symbol.dispose]()
  await sandbox[Symbol.asyncDispose]()
})

test('a certificate is asked for, found again by listing, and fits key, brand and intermediate', async () => {
  assert.equal(await store.findPassType('pass.com.acme'), undefined)
  const id = await store.createPassType('pass.com.acme', 'Acme')
  assert.equal(await store.findPassType('pass.com.acme'), id)
  const keyPem = await generateKeyPem()
  const content = await store.requestCertificate(id, 'PassTypeId', createCsr(keyPem, 'pass.com.acme'))
  assert.deepEqual(
    (await store.listCertificates(id)).map((one) => one.content),
    [content],
  )
  const certPem = certificatePemOf(Buffer.from(content)) ?? ''
  const parts = { certPem, keyPem, passTypeIdentifier: 'pass.com.acme', teamIdentifier: TEAM }
  const read = await readCertificate(parts, [sandbox.authority.wwdrPem])
  assert.ok(read.ok)
  assert.equal(read.facts.fingerprint, new X509Certificate(certPem).fingerprint256)
  assert.equal(read.facts.type, 'PassTypeId')
  const wrong = async (change: object, wwdr = sandbox.authority.wwdrPem) => {
    const result = await readCertificate({ ...parts, ...change }, [wwdr])
    return result.ok ? undefined : result.finding.reason
  }
  assert.equal(await wrong({ passTypeIdentifier: 'pass.com.other' }), 'WrongPassType')
  assert.equal(await wrong({ teamIdentifier: 'OTHERTEAM1' }), 'WrongTeam')
  assert.equal(await wrong({ keyPem: await generateKeyPem() }), 'WrongKey')
  assert.equal(await wrong({}, sandbox.authority.rootPem), 'Untrusted')
  assert.equal(await wrong({ certPem: 'no' }), 'Unreadable')
})

test('lists are read to their last page', async () => {
  const id = await store.createPassType('pass.com.many', 'Many')
  const keyPem = await generateKeyPem()
  sandbox.setFaults({ appstore: { callsPerHour: 10_000 } })
  const asked = Array.from({ length: 203 }, () =>
    store.requestCertificate(id, 'PassTypeId', createCsr(keyPem, 'pass.com.many')),
  )
  const contents = await Promise.all(asked)
  assert.deepEqual((await store.listCertificates(id)).map((one) => one.content).sort(), contents.sort())
})

test('refusals are told apart: by the key, for the request, for now, and by nobody at all', async () => {
  await assert.rejects(store.createPassType('pass.com.acme', 'Acme'), code('refused'))
  await assert.rejects(store.listCertificates('NONE'), code('notFound'))
  await assert.rejects(connect({ ...key, issuerId: 'x' }).findPassType('pass.a'), code('keyRefused'))
  sandbox.setFaults({ appstore: { failShare: 1 } })
  await assert.rejects(store.findPassType('pass.a'), code('unavailable'))
  sandbox.setFaults({ appstore: { failShare: 0 } })
  await assert.rejects(connect(key, 1).findPassType('pass.a'), TemporaryError)
  assert.throws(() => connect({ ...key, privateKeyPem: 'no' }))
})

test('after a 429 nothing is asked until the time that it named is over', async () => {
  const own = connect(createAppStoreKey(sandbox.dir, 'RATETEAM01'))
  sandbox.setFaults({ appstore: { throttleShare: 1, retryAfterSeconds: 3600 } })
  await assert.rejects(own.findPassType('pass.a'), (error) => {
    assert.ok(error instanceof AppStoreError)
    assert.deepEqual([error.code, error.retryAfterMs, error.temporary], ['rateLimited', 3_600_000, true])
    return true
  })
  sandbox.setFaults({ appstore: { throttleShare: 0 } })
  const { calls } = sandbox.appStore.statistics()
  await assert.rejects(own.findPassType('pass.a'), code('rateLimited'))
  assert.equal(sandbox.appStore.statistics().calls, calls, 'it was asked all the same')
})

test('a token is used again until two minutes before its end, and never lives 20 minutes', () => {
  const clock = testClock()
  const token = createTokenSource(key, clock)
  const first = token()
  const [head = '', body = '', signature = ''] = first.split('.')
  const publicKey = { key: createPublicKey(key.privateKeyPem), dsaEncoding: 'ieee-p1363' as const }
  assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, 'base64url')))
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iat: number; exp: number }
  assert.ok(claims.exp - claims.iat < 20 * 60)
  clock.advance(12 * 60_000)
  assert.equal(token(), first)
  clock.advance(61_000)
  assert.notEqual(token(), first)
})
