import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { request } from 'node:https'
import { after, before, test } from 'node:test'
import type { ServiceAccount } from '../google-account.ts'
import type { Sandbox } from '../sandbox.ts'
import { startTestSandbox } from '../testing/index.ts'
import { busiestSecond, notificationsPerDay, overruns, readGoogleLog } from './log.ts'
import { WALLET_SCOPE } from './tokens.ts'

const ISSUER = '3388000000012345678'
const CLASS_ID = `${ISSUER}.demo-v1`
let sandbox: Sandbox
let account: ServiceAccount
let bearer: string
let next = 0

interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const url = `https://localhost:${sandbox.googlePort}${path}`
    const outgoing = request(url, { method, headers, ca: sandbox.authority.webRootPem, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Reply['body'] })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
}

function jwt(claims: object, { privateKeyPem }: ServiceAccount = account, alg = 'RS256'): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), createPrivateKey(privateKeyPem)).toString('base64url')}`
}

function assertion(changes: Readonly<Record<string, unknown>> = {}): object {
  const iat = Math.floor(Date.now() / 1000)
  const aud = `https://localhost:${sandbox.googlePort}/token`
  return { iss: account.clientEmail, scope: WALLET_SCOPE, aud, iat, exp: iat + 3600, ...changes }
}

function askToken(token: string): Promise<Reply> {
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token })
  return call('POST', '/token', form.toString(), { 'content-type': 'application/x-www-form-urlencoded' })
}

function api(method: string, path: string, body?: unknown): Promise<Reply> {
  return call(method, `/walletobjects/v1/${path}`, body, { authorization: `Bearer ${bearer}` })
}

function reasonOf({ body }: Reply): string | undefined {
  return (body['error'] as { errors?: { reason: string }[] } | undefined)?.errors?.[0]?.reason
}

const classBody = {
  id: CLASS_ID,
  issuerName: 'Demo',
  programName: 'Demo Club',
  programLogo: { sourceUri: { uri: 'https://example.com/logo.png' } },
  reviewStatus: 'UNDER_REVIEW',
}

async function newObject(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  next += 1
  const id = `${ISSUER}.card-${next}`
  const reply = await api('POST', 'loyaltyObject', { id, classId: CLASS_ID, state: 'ACTIVE', ...changes })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  return id
}

before(async () => {
  sandbox = await startTestSandbox({ faults: { google: { googleRps: 1000 } } })
  account = sandbox.serviceAccount(ISSUER)
  const { status, body } = await askToken(jwt(assertion()))
  assert.equal(status, 200)
  bearer = String(body['access_token'])
  assert.equal((await api('POST', 'loyaltyClass', classBody)).body['reviewStatus'], 'APPROVED')
})
after(() => sandbox[Symbol.asyncDispose]())

test('an account reads its own issuer and no other', async () => {
  const own = await api('GET', `issuer/${ISSUER}`)
  assert.equal(own.status, 200)
  assert.equal(own.body['issuerId'], ISSUER)
  assert.equal((await api('GET', 'issuer/3388000000099999999')).status, 403)
})

test('assertions that Google would not take get no token', async () => {
  const iat = Math.floor(Date.now() / 1000)
  const bad = [
    jwt(assertion({ iss: 'nobody@example.com' })),
    jwt(assertion({ aud: 'https://oauth2.googleapis.com/token' })),
    jwt(assertion({ scope: 'https://www.googleapis.com/auth/drive' })),
    jwt(assertion({ exp: iat + 3700 })),
    jwt(assertion({ iat: iat - 7200, exp: iat - 3600 })),
    jwt(assertion({ iat: iat + 3600, exp: iat + 7200 })),
    jwt(assertion(), sandbox.serviceAccount('99')),
    jwt(assertion(), account, 'none'),
    'not.a.token',
  ]
  for (const [index, token] of bad.entries()) assert.equal((await askToken(token)).status, 400, `assertion ${index}`)
})

test('calls need a live token and stay inside their issuer', async () => {
  assert.equal((await call('GET', `/walletobjects/v1/loyaltyClass/${CLASS_ID}`)).status, 401)
  const forged = `${bearer.slice(0, -4)}AAAA`
  const reply = await call('GET', `/walletobjects/v1/loyaltyClass/${CLASS_ID}`, undefined, {
    authorization: `Bearer ${forged}`,
  })
  assert.equal(reply.status, 401)
  const foreign = await api('POST', 'loyaltyClass', { ...classBody, id: '77.demo' })
  assert.deepEqual([foreign.status, reasonOf(foreign)], [403, 'permissionDenied'])
})

const badClasses: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'no programme name': { programName: undefined },
  'no logo': { programLogo: undefined },
  'two logo sources': { programLogo: { sourceUri: { uri: 'https://a.b/c' }, privateImageId: 'x' } },
  'a logo without scheme': { programLogo: { sourceUri: { uri: 'example.com/logo.png' } } },
  'a review status of its own': { reviewStatus: 'APPROVED' },
  'a bad id': { id: `${ISSUER}.a b` },
  'eleven merchant locations': { merchantLocations: Array(11).fill({ latitude: 1, longitude: 2 }) },
}
for (const [name, changes] of Object.entries(badClasses)) {
  test(`a class with ${name} is refused`, async () => {
    const reply = await api('POST', 'loyaltyClass', { ...classBody, id: `${ISSUER}.bad`, ...changes })
    assert.equal(reply.status, 400, JSON.stringify(reply.body))
  })
}

const badObjects: Readonly<Record<string, readonly [number, Readonly<Record<string, unknown>>]>> = {
  'no state': [400, { state: undefined }],
  'an absent class': [404, { classId: `${ISSUER}.nowhere` }],
  'a class of another issuer': [400, { classId: '77.demo' }],
  'two balances': [400, { loyaltyPoints: { balance: { int: 1, string: '1' } } }],
  'a barcode type that cannot rotate': [400, { rotatingBarcode: { type: 'AZTEC' } }],
  'eleven merchant locations': [400, { merchantLocations: Array(11).fill({ latitude: 1, longitude: 2 }) }],
  'eleven messages': [400, { messages: Array(11).fill({ header: 'a', body: 'b' }) }],
}
for (const [name, [status, changes]] of Object.entries(badObjects)) {
  test(`an object with ${name} is refused`, async () => {
    const body = { id: `${ISSUER}.bad`, classId: CLASS_ID, state: 'ACTIVE', ...changes }
    assert.equal((await api('POST', 'loyaltyObject', body)).status, status)
  })
}

test('a taken id is 409, an unknown one 404, and nothing can be deleted', async () => {
  const id = await newObject()
  const again = await api('POST', 'loyaltyObject', { id, classId: CLASS_ID, state: 'ACTIVE' })
  assert.equal(again.status, 409)
  assert.equal((await api('GET', `loyaltyObject/${ISSUER}.nobody`)).status, 404)
  assert.equal((await api('PATCH', `loyaltyObject/${ISSUER}.nobody`, {})).status, 404)
  assert.equal((await api('DELETE', `loyaltyObject/${id}`)).status, 405)
})

test('a patch merges, replaces arrays whole and removes by null; a PUT clears', async () => {
  const textModulesData = [{ id: 'a', header: 'A', body: 'b' }, { id: 'b' }]
  const id = await newObject({
    accountName: 'Ann',
    loyaltyPoints: { label: 'Points', balance: { int: 1 } },
    textModulesData,
  })
  const change = { accountName: null, loyaltyPoints: { balance: { int: 2 } }, textModulesData: [{ id: 'c' }] }
  const { body } = await api('PATCH', `loyaltyObject/${id}`, change)
  assert.deepEqual(body['loyaltyPoints'], { label: 'Points', balance: { int: 2 } })
  assert.deepEqual(body['textModulesData'], [{ id: 'c' }])
  assert.ok(!('accountName' in body))
  const put = await api('PUT', `loyaltyObject/${id}`, { classId: CLASS_ID, state: 'ACTIVE' })
  assert.deepEqual(Object.keys(put.body).sort(), ['classId', 'hasUsers', 'id', 'state'])
})

test('a class update must say UNDER_REVIEW again, and an approved class never becomes a draft', async () => {
  assert.equal((await api('PATCH', `loyaltyClass/${CLASS_ID}`, { programName: 'X' })).status, 400)
  assert.equal((await api('PATCH', `loyaltyClass/${CLASS_ID}`, { reviewStatus: 'DRAFT' })).status, 400)
  assert.equal(
    (await api('PATCH', `loyaltyClass/${CLASS_ID}`, { programName: 'X', reviewStatus: 'UNDER_REVIEW' })).status,
    200,
  )
  const draft = `${ISSUER}.draft`
  assert.equal((await api('POST', 'loyaltyClass', { ...classBody, id: draft, reviewStatus: 'DRAFT' })).status, 200)
  assert.equal((await api('POST', 'loyaltyObject', { id: `${ISSUER}.x`, classId: draft, state: 'ACTIVE' })).status, 400)
})

test('a fourth notification within 24 hours is refused with quotaExceeded, a silent message is not', async () => {
  const id = await newObject()
  const message = { header: 'Black Friday', body: 'Now', messageType: 'TEXT_AND_NOTIFY' }
  for (let index = 0; index < 3; index += 1) {
    assert.equal((await api('POST', `loyaltyObject/${id}/addMessage`, { message })).status, 200)
  }
  const fourth = await api('POST', `loyaltyObject/${id}/addMessage`, { message })
  assert.deepEqual([fourth.status, reasonOf(fourth)], [403, 'quotaExceeded'])
  const silent = await api('POST', `loyaltyObject/${id}/addMessage`, { message: { ...message, messageType: 'TEXT' } })
  assert.equal(silent.status, 200)
  assert.equal((silent.body['resource'] as { messages: unknown[] }).messages.length, 4)
  const update = { loyaltyPoints: { balance: { int: 9 } }, notifyPreference: 'NOTIFY_ON_UPDATE' }
  assert.equal(reasonOf(await api('PATCH', `loyaltyObject/${id}`, update)), 'quotaExceeded')
})

test('a patch without messages keeps them, a PUT without them clears them, and there are never eleven', async () => {
  const id = await newObject()
  const message = { header: 'a', body: 'b' }
  for (let index = 0; index < 10; index += 1)
    assert.equal((await api('POST', `loyaltyObject/${id}/addMessage`, { message })).status, 200)
  assert.equal((await api('POST', `loyaltyObject/${id}/addMessage`, { message })).status, 400)
  const patched = await api('PATCH', `loyaltyObject/${id}`, { accountName: 'Ann' })
  assert.equal((patched.body['messages'] as unknown[]).length, 10)
  const pruned = await api('PATCH', `loyaltyObject/${id}`, { messages: [message] })
  assert.equal((pruned.body['messages'] as unknown[]).length, 1)
  const put = await api('PUT', `loyaltyObject/${id}`, { classId: CLASS_ID, state: 'ACTIVE' })
  assert.ok(!('messages' in put.body))
})

test('notifications of a class count for each of its objects, until Google has turned a day older', async () => {
  const classId = `${ISSUER}.counted`
  assert.equal((await api('POST', 'loyaltyClass', { ...classBody, id: classId })).status, 200)
  const id = await newObject({ classId })
  const message = { header: 'a', body: 'b', messageType: 'TEXT_AND_NOTIFY' }
  const notify = async (path: string): Promise<number> => (await api('POST', `${path}/addMessage`, { message })).status
  assert.equal(await notify(`loyaltyClass/${classId}`), 200)
  assert.equal(await notify(`loyaltyObject/${id}`), 200)
  assert.equal(await notify(`loyaltyClass/${classId}`), 200)
  assert.equal(await notify(`loyaltyObject/${id}`), 403)
  assert.equal(await notify(`loyaltyClass/${classId}`), 403)
  assert.equal(await notify(`loyaltyObject/${await newObject({ classId })}`), 200, 'another object has one left')
  sandbox.setFaults({ google: { clockAheadMs: 24 * 3_600_000 + 1_000 } })
  assert.equal(await notify(`loyaltyObject/${id}`), 200)
  sandbox.setFaults({ google: { clockAheadMs: 0 } })
  assert.equal(notificationsPerDay(await readGoogleLog(sandbox.dir)), 3)
})

test('an answer can be lost although the message was taken, and a quota exceeded at random', async () => {
  const id = await newObject()
  const message = { header: 'a', body: 'b', messageType: 'TEXT_AND_NOTIFY', id: 'm' }
  sandbox.setFaults({ google: { loseAnswerShare: 1, onlyIssuer: ISSUER } })
  await assert.rejects(api('POST', `loyaltyObject/${id}/addMessage`, { message }))
  sandbox.setFaults({ google: { loseAnswerShare: 0, quotaShare: 1 } })
  assert.equal(reasonOf(await api('POST', `loyaltyObject/${id}/addMessage`, { message })), 'quotaExceeded')
  sandbox.setFaults({ google: { onlyIssuer: '77' } })
  assert.equal((await api('POST', `loyaltyObject/${id}/addMessage`, { message })).status, 200, 'a fault of others')
  sandbox.setFaults({ google: { quotaShare: 0, onlyIssuer: '' } })
  const { body } = await api('GET', `loyaltyObject/${id}`)
  assert.deepEqual(body['messages'], [message, message])
})

test('a save link flips hasUsers; a wrong one does not', async () => {
  const id = await newObject()
  const claims = {
    iss: account.clientEmail,
    aud: 'google',
    typ: 'savetowallet',
    iat: Math.floor(Date.now() / 1000),
    payload: { loyaltyObjects: [{ id }] },
  }
  const bad = [
    jwt({ ...claims, aud: 'apple' }),
    jwt({ ...claims, typ: 'JWT' }),
    jwt(claims, sandbox.serviceAccount('99')),
    jwt({ ...claims, payload: { loyaltyObjects: [{ id: '77.other' }] } }),
    jwt({ ...claims, payload: { loyaltyObjects: [{ id: `${ISSUER}.absent` }] } }),
    jwt({ ...claims, filler: 'x'.repeat(1800) }),
  ]
  for (const token of bad)
    assert.ok('reason' in (await sandbox.google.save(`https://pay.google.com/gp/v/save/${token}`)))
  assert.equal((await api('GET', `loyaltyObject/${id}`)).body['hasUsers'], false)
  assert.equal((await call('GET', `/gp/v/save/${jwt(claims)}`)).status, 200)
  assert.equal((await api('GET', `loyaltyObject/${id}`)).body['hasUsers'], true)
  assert.equal((await api('PATCH', `loyaltyObject/${id}`, { hasUsers: false })).body['hasUsers'], true)
})

test('of more calls than the rate within a second the rest is answered 429, and the log counts them', async () => {
  const before = overruns(await readGoogleLog(sandbox.dir), ISSUER)
  sandbox.setFaults({ google: { googleRps: 5 } })
  const replies = await Promise.all(Array.from({ length: 12 }, () => api('GET', `loyaltyClass/${CLASS_ID}`)))
  sandbox.setFaults({ google: { googleRps: 1000 } })
  const refused = replies.filter(({ status }) => status === 429)
  assert.ok(refused.length >= 7, String(refused.length))
  assert.ok(refused.every((reply) => reasonOf(reply) === 'rateLimitExceeded'))
  const rows = await readGoogleLog(sandbox.dir)
  assert.equal(overruns(rows, ISSUER) - before, refused.length)
  assert.ok(busiestSecond(rows, ISSUER) >= 12)
  assert.equal(busiestSecond(rows, '77'), 0)
})
