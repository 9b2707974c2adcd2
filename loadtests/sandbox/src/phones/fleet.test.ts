import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import type { ClientHttp2Session } from 'node:http2'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { PhoneRow } from '../rows.ts'
import type { Sandbox } from '../sandbox.ts'
import { connectApns, eventually, push, startTestSandbox, TestWebService } from '../testing/index.ts'

const PASS_TYPE_ID = 'pass.com.demo'
let sandbox: Sandbox
let web: TestWebService
let apns: ClientHttp2Session

before(async () => {
  sandbox = await startTestSandbox({ faults: { phones: { retryBaseMs: 20 } } })
  const certificate = sandbox.authority.issuePassCertificate({ passTypeId: PASS_TYPE_ID, teamId: 'DEMOTEAM01' })
  web = new TestWebService(sandbox.authority, certificate, PASS_TYPE_ID)
  await web.listen()
  apns = await connectApns(sandbox, certificate)
})
after(async () => {
  apns.close()
  await web[Symbol.asyncDispose]()
  await sandbox[Symbol.asyncDispose]()
})

async function installed(serial: string, points = 0, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  assert.equal(await sandbox.fleet.install({ url: web.put(serial, points, more) }), undefined)
  const [token] = web.tokens(serial)
  assert.ok(token)
  return token
}

async function rows(serial: string): Promise<readonly PhoneRow[]> {
  const phone = (await sandbox.fleet.shown(serial))?.phone
  const journal = await fetch(`http://127.0.0.1:${sandbox.controlPort}/events?kind=phones`)
  const lines = (await journal.text()).split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as PhoneRow).filter((row) => row.phone === phone)
}

function showsPoints(serial: string, points: number): Promise<unknown> {
  return eventually(async () => {
    const shown = await sandbox.fleet.shown(serial)
    return shown?.fields['points'] === String(points) || undefined
  })
}

test('an installed pass is registered, shown, and kept whole', async () => {
  await installed('A-1', 10)
  const shown = await sandbox.fleet.shown('A-1')
  assert.deepEqual(shown?.fields, { points: '10', terms: 'none' })
  assert.deepEqual(shown?.notifications, [])
  assert.equal((shown?.passJson as { serialNumber: string } | undefined)?.serialNumber, 'A-1')
  assert.ok(shown?.images['icon'])
  assert.ok((await readdir(join(sandbox.dir, 'bundles'))).includes('A-1.pkpass'))
})

test('a push makes the phone list, fetch, verify and announce the change over one connection', async () => {
  const token = await installed('A-2', 10)
  web.put('A-2', 25)
  const before = web.connections
  assert.equal((await push(apns, token, { 'apns-topic': PASS_TYPE_ID })).status, 200)
  await showsPoints('A-2', 25)
  assert.equal(web.connections, before + 1)
  const shown = await sandbox.fleet.shown('A-2')
  assert.deepEqual(
    shown?.notifications.map(({ text }) => text),
    ['You have 25 points'],
  )
  await eventually(async () => (await rows('A-2')).some(({ event }) => event === 'done') || undefined)
  const events = (await rows('A-2')).map(({ event }) => event)
  assert.deepEqual(events, ['install', 'show', 'push', 'list', 'fetch', 'show', 'done'])
  const show = (await rows('A-2')).findLast((row) => row.event === 'show')
  assert.deepEqual(show?.changes, [
    { key: 'points', label: 'Points', old: '10', new: '25', text: 'You have 25 points' },
  ])
})

test('a push without a change finds an empty list and shows nothing', async () => {
  const token = await installed('A-3', 1)
  await push(apns, token)
  await eventually(async () => (await rows('A-3')).some(({ event }) => event === 'done') || undefined)
  // The first list has no tag and names everything; the second must be empty.
  await push(apns, token)
  await eventually(async () => (await rows('A-3')).filter(({ event }) => event === 'done').length === 2 || undefined)
  const lists = (await rows('A-3')).filter((row) => row.event === 'list')
  assert.deepEqual(
    lists.map(({ status }) => status),
    [200, 204],
  )
})

test('errors of the server are retried until it answers', async () => {
  const token = await installed('A-4', 1)
  web.put('A-4', 2)
  web.failNext = { status: 503, times: 2 }
  await push(apns, token)
  await showsPoints('A-4', 2)
  const failures = (await rows('A-4')).filter((row) => row.event === 'fail')
  assert.deepEqual(
    failures.map(({ reason, final }) => [reason, final]),
    [
      ['list: status 503', false],
      ['list: status 503', false],
    ],
  )
})

test('a server that asks for a wait is left alone for so long', async () => {
  const token = await installed('A-5', 1)
  web.put('A-5', 2)
  web.failNext = { status: 503, times: 1, headers: { 'retry-after': '1' } }
  await push(apns, token)
  await showsPoints('A-5', 2)
  const [failed, retried] = (await rows('A-5')).filter(({ event }) => event === 'fail' || event === 'list').slice(1)
  assert.ok(failed && retried && retried.at - failed.at >= 990, `${failed?.at} ${retried?.at}`)
})

test('a pass of another brand is not shown', async () => {
  const token = await installed('A-6', 1)
  web.put('A-6', 2, { teamIdentifier: 'OTHERTEAM1' })
  await push(apns, token)
  const failed = await eventually(async () => (await rows('A-6')).find((row) => row.event === 'fail'))
  assert.match(failed.event === 'fail' ? failed.reason : '', /another team/)
  assert.equal((await sandbox.fleet.shown('A-6'))?.fields['points'], '1')
  const fetched = (await rows('A-6')).find((row) => row.event === 'fetch')
  assert.equal(fetched?.event === 'fetch' && fetched.ok, false)
})

test('a server outside the trusted authority gets no phone', async () => {
  await using other = await startTestSandbox()
  const reason = await other.fleet.install({ url: web.put('A-7', 1) })
  assert.match(String(reason), /no answer/)
})

test('a pass without a web service and an address without TLS are refused', async () => {
  const url = web.put('A-8', 1, { webServiceURL: undefined, authenticationToken: undefined })
  assert.match(String(await sandbox.fleet.install({ url })), /no web service/)
  assert.match(String(await sandbox.fleet.install({ url: 'http://localhost/x.pkpass' })), /not https/)
})

test('a removed pass is unregistered and APNs answers 410 with the time', async () => {
  const token = await installed('A-9', 1)
  const since = Date.now()
  assert.deepEqual(await sandbox.fleet.remove(['A-9'], false), { removed: 1, failures: [] })
  assert.deepEqual(web.tokens('A-9'), [])
  const answer = await push(apns, token)
  assert.equal(answer.reason, 'Unregistered')
  assert.ok(answer.timestamp && answer.timestamp >= since - 5 && answer.timestamp <= Date.now())
})

test('a silently deleted pass stays registered but is gone for APNs', async () => {
  const token = await installed('B-1', 1)
  await sandbox.fleet.remove(['B-1'], true)
  assert.deepEqual(web.tokens('B-1'), [token])
  assert.equal((await push(apns, token)).status, 410)
})

test('two passes on one phone share its token and its visit', async () => {
  assert.equal(await sandbox.fleet.install({ url: web.put('C-1', 1), phone: 'twin' }), undefined)
  assert.equal(await sandbox.fleet.install({ url: web.put('C-2', 1), phone: 'twin' }), undefined)
  assert.deepEqual(web.tokens('C-1'), web.tokens('C-2'))
  web.put('C-1', 5)
  web.put('C-2', 6)
  await push(apns, web.tokens('C-1')[0] ?? '')
  await showsPoints('C-1', 5)
  await showsPoints('C-2', 6)
})
