import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createKeyPair } from '../crypto/certificate.ts'
import type { FaultsPatch } from '../faults.ts'
import { type Sandbox, startSandbox } from '../sandbox.ts'
import { appStoreToken, callAppStore, shortKeyPair, temporaryDir, testCsr } from '../testing/index.ts'
import type { AppStoreKey } from './keys.ts'

const TEAM = 'DEMOTEAM01'
let dir: Awaited<ReturnType<typeof temporaryDir>>
let sandbox: Sandbox
let key: AppStoreKey
let next = 0

before(async () => {
  dir = await temporaryDir()
  sandbox = await startSandbox({ dir: dir.path })
  key = sandbox.appStoreKey(TEAM)
})
after(async () => {
  await sandbox[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

interface Shown {
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
}

function call(method: string, path: string, body?: object, token = appStoreToken(key)) {
  return callAppStore(sandbox, token, method, `/v1/${path}`, body)
}

function codeOf({ body }: { readonly body: Readonly<Record<string, unknown>> }): string | undefined {
  return (body['errors'] as { code: string }[] | undefined)?.[0]?.code
}

async function newPassType(): Promise<{ id: string; identifier: string }> {
  next += 1
  const identifier = `pass.com.test.n${next}`
  const attributes = { identifier, name: `Test ${next}` }
  const reply = await call('POST', 'passTypeIds', { data: { type: 'passTypeIds', attributes } })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return { id: (reply.body['data'] as Shown).id, identifier }
}

function certificateBody(id: string | undefined, csrContent: string, certificateType = 'PASS_TYPE_ID'): object {
  const relationships = { passTypeId: { data: { type: 'passTypeIds', id } } }
  return { data: { type: 'certificates', attributes: { certificateType, csrContent }, ...(id && { relationships }) } }
}

function counts(identifier: string) {
  return sandbox.appStore.statistics().passTypes[identifier]
}

async function withFaults<T>(appstore: FaultsPatch['appstore'], work: () => Promise<T>): Promise<T> {
  const off = { failAfterIssuingShare: 0, loseAnswerShare: 0, failShare: 0, throttleShare: 0, refuseShare: 0 }
  sandbox.setFaults({ appstore: appstore ?? {} })
  return work().finally(() => sandbox.setFaults({ appstore: { ...off, callsPerHour: 3500, lifeSeconds: 31_536_000 } }))
}

test('a pass type id and a certificate for our key are made, listed and read', async () => {
  const { id, identifier } = await newPassType()
  const pair = createKeyPair('rsa')
  const made = await call('POST', 'certificates', certificateBody(id, testCsr(pair)))
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { attributes, id: certificateId } = made.body['data'] as Shown
  const certificate = new X509Certificate(Buffer.from(attributes['certificateContent'] ?? '', 'base64'))
  assert.ok(certificate.checkPrivateKey(pair.privateKey))
  assert.ok(certificate.verify(new X509Certificate(sandbox.authority.wwdrPem).publicKey))
  assert.match(certificate.subject, new RegExp(`UID=${identifier}\nCN=Pass Type ID: ${identifier}\nOU=${TEAM}`))
  const listed = await call('GET', `passTypeIds/${id}/certificates?filter[certificateType]=PASS_TYPE_ID`)
  assert.deepEqual(
    (listed.body['data'] as Shown[]).map((one) => one.id),
    [certificateId],
  )
  const read = (await call('GET', `certificates/${certificateId}`)).body['data'] as Shown
  assert.equal(read.attributes['serialNumber'], certificate.serialNumber)
  const found = await call('GET', `passTypeIds?filter[identifier]=${identifier}`)
  assert.deepEqual(
    (found.body['data'] as Shown[]).map((one) => one.attributes['identifier']),
    [identifier],
  )
})

test('PEM is taken as well as base64', async () => {
  const { id } = await newPassType()
  const lines = testCsr().match(/.{1,64}/g) ?? []
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
  assert.equal((await call('POST', 'certificates', certificateBody(id, pem))).status, 201)
})

const tokens: readonly [name: string, make: (of: AppStoreKey) => string, status: number][] = [
  ['that is none', () => 'x', 401],
  ['of another algorithm', (of) => appStoreToken(of, {}, { alg: 'RS256' }), 401],
  ['of an unknown key', (of) => appStoreToken(of, {}, { kid: 'UNKNOWN' }), 401],
  ['without type', (of) => appStoreToken(of, {}, { typ: undefined }), 401],
  ['of another issuer', (of) => appStoreToken(of, { iss: 'someone' }), 401],
  ['for another audience', (of) => appStoreToken(of, { aud: 'apple-developer-enterprise-v1' }), 401],
  ['without an end', (of) => appStoreToken(of, { exp: undefined }), 401],
  ['that lives 21 minutes', (of) => appStoreToken(of, { exp: Math.floor(Date.now() / 1000) + 21 * 60 }), 401],
  ['that has expired', (of) => appStoreToken(of, { exp: Math.floor(Date.now() / 1000) - 1 }), 401],
  ['of the future', (of) => appStoreToken(of, { iat: Math.floor(Date.now() / 1000) + 300 }), 401],
  ['of an individual', (of) => appStoreToken(of, { sub: 'user', iss: undefined }), 403],
  ['signed by somebody else', (of) => `${appStoreToken(of).slice(0, -8)}AAAAAAAA`, 401],
]
for (const [name, make, status] of tokens) {
  test(`a token ${name} is refused`, async () => {
    assert.equal((await call('GET', 'passTypeIds', undefined, make(key))).status, status)
  })
}

test('requests for certificates that Apple would refuse are refused, and nothing is issued', async () => {
  const { id, identifier } = await newPassType()
  const foreign = testCsr(createKeyPair('rsa'), createKeyPair('rsa'))
  for (const csr of ['', 'no', testCsr(shortKeyPair()), testCsr(createKeyPair('p256')), foreign]) {
    const reply = await call('POST', 'certificates', certificateBody(id, csr))
    assert.equal(reply.status, 409, csr)
    assert.equal(codeOf(reply), 'ENTITY_ERROR.ATTRIBUTE.INVALID')
  }
  assert.equal((await call('POST', 'certificates', certificateBody(undefined, testCsr()))).status, 404)
  assert.equal((await call('POST', 'certificates', certificateBody('ABC', testCsr()))).status, 404)
  assert.equal((await call('POST', 'certificates', certificateBody(id, testCsr(), 'IOS_DISTRIBUTION'))).status, 409)
  assert.equal(
    (await call('POST', 'certificates', certificateBody(id, testCsr(), 'PASS_TYPE_ID_WITH_NFC'))).status,
    403,
  )
  assert.equal(counts(identifier), undefined)
})

test('a team that may use NFC gets the certificate for it', async () => {
  const nfcKey = sandbox.appStoreKey('NFCTEAM001', true)
  const attributes = { identifier: 'pass.com.nfc', name: 'Nfc' }
  const body = { data: { type: 'passTypeIds', attributes } }
  const made = await call('POST', 'passTypeIds', body, appStoreToken(nfcKey))
  const { id } = made.body['data'] as Shown
  const wanted = certificateBody(id, testCsr(), 'PASS_TYPE_ID_WITH_NFC')
  const reply = await call('POST', 'certificates', wanted, appStoreToken(nfcKey))
  const content = (reply.body['data'] as Shown).attributes['certificateContent'] ?? ''
  assert.match(new X509Certificate(Buffer.from(content, 'base64')).subject, /CN=Pass Type ID with NFC: pass\.com\.nfc/)
  assert.equal((await call('GET', `passTypeIds/${id}`)).status, 404, 'another team sees it')
})

test('an identifier that is taken, by whatever team, is refused', async () => {
  const { identifier } = await newPassType()
  const body = { data: { type: 'passTypeIds', attributes: { identifier, name: 'Again' } } }
  assert.equal((await call('POST', 'passTypeIds', body)).status, 409)
  const stranger = appStoreToken(sandbox.appStoreKey('OTHERTEAM1'))
  assert.equal((await call('POST', 'passTypeIds', body, stranger)).status, 409)
})

test('lists come in pages that lead to all of them, and unknown parameters are refused', async () => {
  const made = await Promise.all(Array.from({ length: 5 }, newPassType))
  const seen = new Set<string>()
  let path: string | undefined = 'passTypeIds?limit=2'
  while (path !== undefined) {
    const { body } = await call('GET', path)
    for (const { id } of body['data'] as Shown[]) seen.add(id)
    path = (body['links'] as { next?: string }).next?.split('/v1/')[1]
  }
  assert.ok(made.every(({ id }) => seen.has(id)))
  assert.equal((await call('GET', 'passTypeIds?limit=201')).status, 400)
  assert.equal((await call('GET', 'passTypeIds?filter[color]=red')).status, 400)
})

test('failing after issuing counts the certificate, whatever the caller heard', async () => {
  const { id, identifier } = await newPassType()
  const body = certificateBody(id, testCsr())
  await withFaults({ failAfterIssuingShare: 1 }, async () => {
    assert.equal((await call('POST', 'certificates', body)).status, 500)
  })
  await withFaults({ loseAnswerShare: 1 }, () => assert.rejects(call('POST', 'certificates', body)))
  assert.deepEqual(counts(identifier), { certificates: 2, keys: 1, revocations: 0, deletions: 0 })
})

test('the hourly rate is told with each answer and kept to', async () => {
  const other = sandbox.appStoreKey('RATETEAM01')
  await withFaults({ callsPerHour: 2, retryAfterSeconds: 7 }, async () => {
    const answers = []
    for (let at = 0; at < 3; at += 1) answers.push(await call('GET', 'certificates', undefined, appStoreToken(other)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429],
    )
    assert.equal(answers[0]?.headers['x-rate-limit'], 'user-hour-lim:2;user-hour-rem:1;')
    assert.equal(answers[2]?.headers['retry-after'], '7')
  })
  await withFaults({ throttleShare: 1 }, async () => assert.equal((await call('GET', 'certificates')).status, 429))
  await withFaults({ refuseShare: 1 }, async () => assert.equal((await call('GET', 'certificates')).status, 401))
  await withFaults({ failShare: 1 }, async () => assert.equal((await call('GET', 'certificates')).status, 500))
})

test('revocations are counted, and everything is still known after a restart', async () => {
  const { id, identifier } = await newPassType()
  const made = await call('POST', 'certificates', certificateBody(id, testCsr()))
  await call('POST', 'certificates', certificateBody(id, testCsr()))
  const path = `certificates/${(made.body['data'] as Shown).id}`
  assert.equal((await call('DELETE', path)).status, 204)
  assert.equal((await call('GET', path)).status, 404)
  const before = counts(identifier)
  assert.deepEqual(before, { certificates: 2, keys: 2, revocations: 1, deletions: 0 })
  await sandbox[Symbol.asyncDispose]()
  sandbox = await startSandbox({ dir: dir.path })
  assert.deepEqual(counts(identifier), before)
  assert.equal((await call('GET', `passTypeIds/${id}/certificates`)).status, 200)
  const stats = (await (await fetch(`http://127.0.0.1:${sandbox.controlPort}/stats`)).json()) as {
    appstore: { passTypes: object }
  }
  assert.deepEqual(stats.appstore.passTypes, sandbox.appStore.statistics().passTypes)
})

test('paths, methods, bodies and media types that do not exist are refused', async () => {
  const { id } = await newPassType()
  assert.equal((await call('GET', 'bundleIds')).status, 404)
  assert.equal((await call('GET', `passTypeIds/${id}/certificates/more`)).status, 404)
  assert.equal((await call('DELETE', 'certificates')).status, 405)
  assert.equal((await call('POST', 'certificates', { data: {} })).status, 409)
  assert.equal((await call('POST', 'certificates', {})).status, 422)
  const renamed = { data: { type: 'passTypeIds', id, attributes: { identifier: 'pass.com.other' } } }
  assert.equal((await call('PATCH', `passTypeIds/${id}`, renamed)).status, 409)
})
