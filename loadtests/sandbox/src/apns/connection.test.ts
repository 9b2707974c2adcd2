import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientSessionOptions, connect } from 'node:http2'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Pool, RequestBlock, RequestTemplate } from '@stampede/h2push'
import { type Authority, createAuthority, type PassCertificate } from '../authority.ts'
import { type ApnsFaults, defaultFaults } from '../faults.ts'
import { eventually, push, temporaryDir } from '../testing/index.ts'
import type { TokenDirectory } from './directory.ts'
import { type LineJournal, WAITING_MAX } from './push-log.ts'
import { type ApnsServer, startApns } from './server.ts'

const PASS_TYPE_ID = 'pass.com.demo'
const TOKEN_BYTES = 32
let dir: Awaited<ReturnType<typeof temporaryDir>>
let authority: Authority
let certificate: PassCertificate

before(async () => {
  dir = await temporaryDir()
  authority = createAuthority(dir.path)
  certificate = authority.issuePassCertificate({ passTypeId: PASS_TYPE_ID, teamId: 'DEMOTEAM01' })
})
after(async () => {
  await dir[Symbol.asyncDispose]()
})

/** Every token is known. */
const directory: TokenDirectory = { look: () => ({ kind: 'active' }), deliver: () => undefined }
/** Keeps nothing. */
const forgetful: LineJournal = { appendLines: (_lines, done) => void setImmediate(done) }

function start(journal: LineJournal, faults: () => ApnsFaults = () => defaultFaults.apns): Promise<ApnsServer> {
  return startApns({ authority, hosts: ['localhost', '127.0.0.1'], port: 0, journal, directory, faults })
}

async function connectTo({ port }: ApnsServer, options: ClientSessionOptions = {}): Promise<ClientHttp2Session> {
  const { leafPem, wwdrPem, keyPem } = certificate
  const identity = { ca: authority.webRootPem, cert: leafPem + wwdrPem, key: keyPem }
  const session = connect(`https://localhost:${port}`, { ...identity, ...options })
  await once(session, 'remoteSettings')
  return session
}

function poolTo({ port }: ApnsServer, connections: number, onClosed: () => void = () => undefined): Pool {
  const { leafPem, wwdrPem, keyPem } = certificate
  return new Pool({
    origin: `https://localhost:${port}`,
    identity: () => ({ caPem: authority.webRootPem, certPem: leafPem + wwdrPem, keyPem }),
    connectionsMin: connections,
    connectionsMax: connections,
    events: { closed: onClosed },
  })
}

function pushes(count: number): RequestBlock {
  const template = new RequestTemplate({
    method: 'POST',
    authority: 'localhost',
    pathPrefix: '/3/device/',
    headers: [['apns-topic', PASS_TYPE_ID]],
    body: Buffer.from('{}'),
    capture: { name: 'apns-id', bytesMax: 36 },
  })
  return new RequestBlock({ template, variables: Buffer.alloc(count * TOKEN_BYTES), variableBytes: TOKEN_BYTES })
}

test('a body of many windows is read to its end', async () => {
  await using apns = await start(forgetful)
  const client = await connectTo(apns)
  const answers = await Promise.all(
    Array.from({ length: 3 }, () => push(client, 'ab', {}, Buffer.alloc(1_000_000, 32))),
  )
  assert.deepEqual(
    answers.map(({ status, reason }) => [status, reason]),
    Array.from({ length: 3 }, () => [413, 'PayloadTooLarge']),
  )
  client.close()
})

test('an answer comes through a window of one byte', async () => {
  await using apns = await start(forgetful)
  const client = await connectTo(apns, { settings: { initialWindowSize: 1 } })
  assert.equal((await push(client, 'ab', {}, '[]')).reason, 'PayloadEmpty')
  client.close()
})

test('answers are read by a client that changes its header table all the time', async () => {
  await using apns = await start(forgetful)
  const client = await connectTo(apns)
  for (const headerTableSize of [0, 4_096, 50, 100, 65_536, 0, 1_000]) {
    await new Promise<void>((resolve) => client.settings({ headerTableSize }, () => resolve()))
    const id = '01234567-89ab-cdef-0123-456789abcdef'
    for (const body of ['{}', '[]', '{}'])
      assert.equal((await push(client, 'ab', { 'apns-id': id }, body)).status, body === '{}' ? 200 : 400)
    assert.match((await push(client, 'ab')).apnsId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/)
  }
  client.close()
})

test('answers that are delayed are still given when the connection is told to go', async () => {
  const delayMs = 50
  await using apns = await start(forgetful, () => ({ ...defaultFaults.apns, delayMs, goawayEvery: 2 }))
  const client = await connectTo(apns)
  const sentAt = performance.now()
  const answers = await Promise.all([push(client, 'ab'), push(client, 'ab')])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  )
  // Timers count whole milliseconds.
  assert.ok(performance.now() - sentAt >= delayMs - 1)
})

test('a stream limit that is lowered under load costs no push and no connection', async () => {
  let faults: ApnsFaults = { ...defaultFaults.apns, streamLimit: 1000 }
  await using apns = await start(forgetful, () => faults)
  let closed = 0
  const pool = poolTo(apns, 2, () => {
    closed += 1
  })
  const blocks = Array.from({ length: 10 }, () => pushes(2_000))
  for (const block of blocks) pool.submit(block)
  for (const streamLimit of [3, 500, 1, 1000]) {
    faults = { ...faults, streamLimit }
    apns.announceStreamLimit()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(blocks.map((block) => block.done))
  assert.ok(blocks.every((block) => block.statuses.every((status) => status === 200)))
  assert.equal(closed, 0)
  assert.equal(apns.statistics().accepted, 20_000)
  await pool[Symbol.asyncDispose]()
})

test('no more is read than may wait for the journal', async () => {
  const held: (() => void)[] = []
  let lines = 0
  let isStuck = true
  const stuck: LineJournal = {
    appendLines: (text, done) => {
      lines += text.split('\n').length - 1
      if (isStuck) held.push(done)
      else setImmediate(done)
    },
  }
  await using apns = await start(stuck, () => ({ ...defaultFaults.apns, streamLimit: 100_000 }))
  await using pool = poolTo(apns, 8)
  const blocks = Array.from({ length: 8 }, () => pushes(10_000))
  for (const block of blocks) pool.submit(block)
  await eventually(() => lines >= WAITING_MAX || undefined)
  // What was in the buffers of the sockets still comes; then nothing does.
  let before = -1
  await eventually(() => {
    const isQuiet = before === lines
    before = lines
    return isQuiet || undefined
  })
  assert.ok(lines < 2 * WAITING_MAX, `${lines} pushes wait`)
  isStuck = false
  for (const done of held) done()
  await Promise.all(blocks.map((block) => block.done))
  assert.ok(blocks.every((block) => block.statuses.every((status) => status === 200)))
})

test('a client without HTTP/2 is turned away, and one that only connects does not keep the server', async () => {
  const apns = await start(forgetful)
  const socket = connectTls({ port: apns.port, host: '127.0.0.1', ca: authority.webRootPem, servername: 'localhost' })
  socket.on('error', () => undefined)
  await once(socket, 'close')
  assert.equal(apns.statistics().connections, 0)
  const idle = await connectTo(apns)
  assert.equal(apns.statistics().connections, 1)
  const closed = once(idle, 'close')
  await apns[Symbol.asyncDispose]()
  await closed
})
