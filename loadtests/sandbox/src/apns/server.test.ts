import assert from 'node:assert/strict'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { PassCertificate } from '../authority.ts'
import { readRows } from '../journal.ts'
import type { ApnsRow } from '../rows.ts'
import type { Sandbox } from '../sandbox.ts'
import { connectApns, eventually, push, startTestSandbox, TestWebService } from '../testing/index.ts'

const PASS_TYPE_ID = 'pass.com.demo'
let sandbox: Sandbox
let web: TestWebService
let certificate: PassCertificate
let session: ClientHttp2Session
let token: string

before(async () => {
  sandbox = await startTestSandbox()
  certificate = sandbox.authority.issuePassCertificate({ passTypeId: PASS_TYPE_ID, teamId: 'DEMOTEAM01' })
  web = new TestWebService(sandbox.authority, certificate, PASS_TYPE_ID)
  await web.listen()
  assert.equal(await sandbox.fleet.install({ url: web.put('S-1', 1) }), undefined)
  token = web.tokens('S-1')[0] ?? ''
  session = await connectApns(sandbox, certificate)
})
after(async () => {
  session.close()
  await web[Symbol.asyncDispose]()
  await sandbox[Symbol.asyncDispose]()
})

test('a good push is accepted, its id echoed or made', async () => {
  const id = '01234567-89ab-cdef-0123-456789abcdef'
  assert.deepEqual(await push(session, token, { 'apns-id': id, 'apns-topic': PASS_TYPE_ID }), {
    status: 200,
    apnsId: id,
  })
  const made = await push(session, token.toUpperCase(), { 'apns-expiration': '0' })
  assert.equal(made.status, 200)
  assert.match(made.apnsId, /^[0-9a-f-]{36}$/)
})

type Refusal = readonly [status: number, reason: string, headers: OutgoingHttpHeaders, body?: string | Buffer]

const refusals: Readonly<Record<string, Refusal>> = {
  'another path': [404, 'BadPath', { ':path': '/3/devices/aa' }],
  'no token': [400, 'MissingDeviceToken', { ':path': '/3/device/' }],
  'a token that is not hex': [400, 'BadDeviceToken', { ':path': '/3/device/zz' }],
  'a token that was never given out': [400, 'BadDeviceToken', { ':path': `/3/device/${'ab'.repeat(32)}` }],
  'another method': [405, 'MethodNotAllowed', { ':method': 'PUT' }],
  'a malformed id': [400, 'BadMessageId', { 'apns-id': '12' }],
  'a malformed expiration': [400, 'BadExpirationDate', { 'apns-expiration': 'soon' }],
  'an unknown priority': [400, 'BadPriority', { 'apns-priority': '7' }],
  'a background push at priority 10': [400, 'BadPriority', { 'apns-priority': '10' }],
  'an unknown push type': [400, 'InvalidPushType', { 'apns-push-type': 'wallet' }],
  'a long collapse id': [400, 'BadCollapseId', { 'apns-collapse-id': 'x'.repeat(65) }],
  'an empty topic': [400, 'MissingTopic', { 'apns-topic': '' }],
  'a malformed topic': [400, 'BadTopic', { 'apns-topic': 'a b' }],
  'the topic of another brand': [400, 'TopicDisallowed', { 'apns-topic': 'pass.com.other' }],
  'an empty body': [400, 'PayloadEmpty', {}, ''],
  'a body that is not a dictionary': [400, 'PayloadEmpty', {}, '[]'],
  'a body with keys': [400, 'PayloadEmpty', {}, '{"aps":{}}'],
  'a body over 4 KiB': [413, 'PayloadTooLarge', {}, Buffer.alloc(4097, 32)],
}

for (const [name, [status, reason, headers, body]] of Object.entries(refusals)) {
  test(`a push with ${name} is refused with ${reason}`, async () => {
    const answer = await push(session, token, headers, body ?? '{}')
    assert.equal(answer.status, status)
    assert.equal(answer.reason, reason)
    assert.match(answer.apnsId, /^[0-9a-f-]{36}$/)
  })
}

test('a header that came twice is refused', async () => {
  const answer = await push(session, token, { 'apns-topic': [PASS_TYPE_ID, PASS_TYPE_ID] })
  assert.ok(['DuplicateHeaders', 'BadTopic'].includes(String(answer.reason)), answer.reason)
})

test("a token of a phone without this brand's pass is refused", async () => {
  const other = sandbox.authority.issuePassCertificate({ passTypeId: 'pass.com.other', teamId: 'DEMOTEAM01' })
  const connection = await connectApns(sandbox, other)
  assert.equal((await push(connection, token)).reason, 'DeviceTokenNotForTopic')
  connection.close()
})

test('connections without a good certificate are answered 403', async () => {
  await using elsewhere = await startTestSandbox()
  const at = Date.now()
  const identity = { passTypeId: PASS_TYPE_ID, teamId: 'DEMOTEAM01' }
  const cases: readonly (readonly [PassCertificate | undefined, string, OutgoingHttpHeaders?])[] = [
    [undefined, 'MissingProviderToken'],
    [undefined, 'InvalidProviderToken', { authorization: 'bearer abc' }],
    [elsewhere.authority.issuePassCertificate(identity), 'BadCertificate'],
    [
      sandbox.authority.issuePassCertificate({ ...identity, notBeforeMs: at - 9e7, notAfterMs: at - 1000 }),
      'BadCertificate',
    ],
  ]
  for (const [wrong, reason, headers] of cases) {
    const connection = await connectApns(sandbox, wrong)
    const answer = await push(connection, token, headers)
    assert.deepEqual([answer.status, answer.reason], [403, reason])
    connection.close()
  }
})

test('every answer is in the journal with what was asked', async () => {
  const { apnsId } = await push(session, token, { 'apns-topic': 'pass.com.other' })
  const found: ApnsRow[] = []
  for await (const row of readRows<ApnsRow>(join(sandbox.dir, 'apns.ndjson')))
    if (row.apnsId === apnsId) found.push(row)
  const [row] = found
  assert.equal(found.length, 1)
  assert.deepEqual(
    [row?.token, row?.topic, row?.certUid, row?.status, row?.reason],
    [token, 'pass.com.other', PASS_TYPE_ID, 400, 'TopicDisallowed'],
  )
})

test('the stream limit is announced, obeyed and changed while connections are open', async () => {
  const connection = await connectApns(sandbox, certificate)
  assert.equal(connection.remoteSettings.maxConcurrentStreams, 1000)
  const changed = new Promise((resolve) => connection.once('remoteSettings', resolve))
  sandbox.setFaults({ apns: { streamLimit: 2 } })
  await changed
  assert.equal(connection.remoteSettings.maxConcurrentStreams, 2)
  const answers = await Promise.all(Array.from({ length: 20 }, () => push(connection, token)))
  assert.ok(answers.every(({ status }) => status === 200))
  sandbox.setFaults({ apns: { streamLimit: 1000 } })
  connection.close()
})

test('after every N requests a connection is told to go, with the reason as JSON, and what was taken is answered', async () => {
  sandbox.setFaults({ apns: { goawayEvery: 7 } })
  const connection = await connectApns(sandbox, certificate)
  const told = new Promise<readonly [number, string]>((resolve) => {
    connection.once('goaway', (_code, lastStreamId, data) =>
      resolve([lastStreamId, Buffer.from(data ?? []).toString()]),
    )
  })
  const answers = await Promise.allSettled(Array.from({ length: 12 }, () => push(connection, token)))
  const [lastStreamId, data] = await told
  sandbox.setFaults({ apns: { goawayEvery: 0 } })
  assert.equal(lastStreamId, 13)
  assert.deepEqual(JSON.parse(data), { reason: 'Shutdown' })
  const accepted = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 200)
  assert.equal(accepted.length, 7)
})

test('a connection with too many errors is closed; 410 does not count', async () => {
  sandbox.setFaults({ apns: { errorLimit: 6 } })
  const connection = await connectApns(sandbox, certificate)
  const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()))
  for (let index = 0; index < 3; index += 1) await push(connection, 'cd'.repeat(32))
  await closed
  sandbox.setFaults({ apns: { errorLimit: 500 } })
})

test('a token that is pushed too often is answered 429, and injected failures carry their reason', async () => {
  sandbox.setFaults({ apns: { tokenIntervalMs: 60_000 } })
  const reasons = [await push(session, token), await push(session, token)].map(({ reason }) => reason)
  assert.deepEqual(reasons, [undefined, 'TooManyRequests'])
  sandbox.setFaults({ apns: { tokenIntervalMs: 0, failShare: 1, failReason: 'Shutdown' } })
  assert.deepEqual([(await push(session, token)).status, (await push(session, token)).reason], [503, 'Shutdown'])
  sandbox.setFaults({ apns: { failShare: 0 } })
  await eventually(() => sandbox.apns.statistics().rejected['Shutdown'] === 2 || undefined)
})
