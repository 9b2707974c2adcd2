import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, FrameType, Setting } from '@stampede/h2push/codec'
import { frame, type Header, InMemory, numberOf, pushHeaders, settings, uint32 } from './testing/in-memory.ts'

const APNS_ID = '01234567-89ab-cdef-0123-456789abcdef'
const body = Buffer.from('{"reason":"BadDeviceToken"}')
const nothing = Buffer.alloc(0)
const { headers: HEADERS, data: DATA, continuation: CONTINUATION } = FrameType
const withHeaders = (...headers: readonly Header[]): readonly Header[] => [...pushHeaders, ...headers]

/** The same request in the framings that are allowed. */
const framings: Readonly<Record<string, (client: InMemory) => Buffer>> = {
  'in two frames': (client) => client.request(1),
  'with padding': (client) =>
    Buffer.concat([
      frame(HEADERS, 0x4 | 0x8, 1, Buffer.concat([Buffer.from([3]), client.block(pushHeaders), Buffer.alloc(3)])),
      frame(DATA, 0x1 | 0x8, 1, Buffer.concat([Buffer.from([200]), Buffer.from('{}'), Buffer.alloc(200)])),
    ]),
  'with a priority': (client) =>
    Buffer.concat([
      frame(FrameType.priority, 0, 7, Buffer.alloc(5)),
      frame(HEADERS, 0x4 | 0x20, 1, Buffer.concat([Buffer.alloc(5), client.block(pushHeaders)])),
      frame(DATA, 0x1, 1, '{}'),
    ]),
  'with continuations': (client) => {
    const block = client.block(pushHeaders)
    const parts = [frame(HEADERS, 0, 1, block.subarray(0, 1)), frame(CONTINUATION, 0, 1)]
    return Buffer.concat([...parts, frame(CONTINUATION, 0x4, 1, block.subarray(1)), frame(DATA, 0x1, 1, '{}')])
  },
  'with trailers': (client) =>
    Buffer.concat([
      frame(HEADERS, 0x4, 1, client.block(pushHeaders)),
      frame(DATA, 0, 1, '{'),
      frame(DATA, 0, 1, '}'),
      frame(HEADERS, 0x5, 1, client.block([['x-checksum', '1']])),
    ]),
  'among frames of unknown types': (client) =>
    Buffer.concat([frame(99, 0xff, 0, 'x'), client.request(1), frame(98, 0, 1), frame(97, 0, 4)]),
}

for (const [name, framing] of Object.entries(framings)) {
  test(`a request ${name} is read whole however its bytes are cut`, () => {
    const { length } = framing(new InMemory())
    for (let cut = 0; cut < length; cut += 1) {
      const client = new InMemory().start()
      const bytes = framing(client)
      client.send(bytes.subarray(0, cut), bytes.subarray(cut))
      const [push] = client.pushes
      assert.equal(client.pushes.length, 1)
      assert.equal(push?.headers.path, '/3/device/ab')
      assert.equal(push.headers.topic, 'pass.com.demo')
      assert.deepEqual(push.payload, { bytes: 2, start: 0x7b7d })
    }
  })
}

type Bytes = (client: InMemory) => Buffer

const violations: Readonly<Record<string, readonly [code: number, bytes: Bytes]>> = {
  'a frame that is too long': [ErrorCode.frameSizeError, () => frame(DATA, 0, 1, Buffer.alloc(16_385))],
  'a header block that cannot be decoded': [ErrorCode.compressionError, () => frame(HEADERS, 0x5, 1, Buffer.of(0x80))],
  'an even stream': [ErrorCode.protocolError, (client) => client.request(2)],
  'a body on an idle stream': [ErrorCode.protocolError, () => frame(DATA, 0, 5, '{}')],
  'a body after its end': [ErrorCode.streamClosed, (client) => Buffer.concat([client.request(1), frame(DATA, 1, 1)])],
  'headers after the end': [
    ErrorCode.streamClosed,
    (client) => Buffer.concat([client.request(1), client.request(1, undefined)]),
  ],
  'a stream that is opened again': [
    ErrorCode.streamClosed,
    (client) => Buffer.concat([client.request(3), client.request(1)]),
  ],
  'an interrupted header block': [
    ErrorCode.protocolError,
    () => Buffer.concat([frame(HEADERS, 0, 1), frame(FrameType.ping, 0, 0, Buffer.alloc(8))]),
  ],
  'a header block without an end': [
    ErrorCode.enhanceYourCalm,
    () => Buffer.concat([frame(HEADERS, 0, 1), ...Array.from({ length: 64 }, () => frame(CONTINUATION, 0, 1))]),
  ],
  'a continuation out of place': [ErrorCode.protocolError, () => frame(CONTINUATION, 0x4, 1)],
  'padding longer than its frame': [ErrorCode.protocolError, () => frame(HEADERS, 0xc, 1, Buffer.of(9, 0))],
  'a pushed stream': [ErrorCode.protocolError, () => frame(FrameType.pushPromise, 0x4, 1, uint32(2))],
  'a window that overflows': [
    ErrorCode.flowControlError,
    () => frame(FrameType.windowUpdate, 0, 0, uint32(2 ** 31 - 1)),
  ],
  'a window update of nothing': [ErrorCode.protocolError, () => frame(FrameType.windowUpdate, 0, 0, uint32(0))],
  'a reset of an idle stream': [ErrorCode.protocolError, () => frame(FrameType.rstStream, 0, 1, uint32(0))],
  'a setting out of range': [ErrorCode.protocolError, () => settings([Setting.enablePush, 2])],
  'settings on a stream': [ErrorCode.protocolError, () => frame(FrameType.settings, 0, 1)],
  'a short ping': [ErrorCode.frameSizeError, () => frame(FrameType.ping, 0, 0, '1')],
}

for (const [name, [code, bytes]] of Object.entries(violations)) {
  test(`${name} ends the connection with its code`, async () => {
    const client = new InMemory().start()
    client.send(bytes(client))
    assert.equal((await client.goaways())[0]?.[1], code)
    assert.ok(client.ended)
  })
}

test('a client that does not speak HTTP/2 is told so', async () => {
  const client = new InMemory()
  client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  assert.deepEqual((await client.goaways())[0]?.slice(0, 2), [0, ErrorCode.protocolError])
  assert.ok(client.ended)
  const silent = new InMemory()
  silent.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(FrameType.ping, 0, 0, Buffer.alloc(8)))
  assert.equal((await silent.goaways())[0]?.[1], ErrorCode.protocolError)
})

const streamErrors: Readonly<Record<string, readonly [code: number, bytes: Bytes]>> = {
  'an upper-case header': [ErrorCode.protocolError, (client) => client.request(1, '{}', withHeaders(['X-a', '1']))],
  'a header of HTTP/1.1': [
    ErrorCode.protocolError,
    (client) => client.request(1, '{}', withHeaders(['connection', 'close'])),
  ],
  'an unknown pseudo-header': [ErrorCode.protocolError, (client) => client.request(1, '{}', withHeaders([':x', '1']))],
  'a pseudo-header behind others': [
    ErrorCode.protocolError,
    (client) => client.request(1, '{}', withHeaders([':authority', 'localhost'])),
  ],
  'no path': [ErrorCode.protocolError, (client) => client.request(1, '{}', pushHeaders.slice(0, 2))],
  'two methods': [ErrorCode.protocolError, (client) => client.request(1, '{}', [[':method', 'GET'], ...pushHeaders])],
  'a line break in a value': [
    ErrorCode.protocolError,
    (client) => client.request(1, '{}', withHeaders(['apns-id', 'a\n'])),
  ],
  'a body of another length than told': [
    ErrorCode.protocolError,
    (client) => client.request(1, '{}', withHeaders(['content-length', '3'])),
  ],
  'a header list that is too long': [
    ErrorCode.enhanceYourCalm,
    (client) => client.request(1, '{}', withHeaders(['x-long', 'x'.repeat(8_000)])),
  ],
  'trailers without an end': [
    ErrorCode.protocolError,
    (client) => Buffer.concat([frame(HEADERS, 4, 1, client.block(pushHeaders)), client.request(1, '{}', [['x', '1']])]),
  ],
  'a stream window that overflows': [
    ErrorCode.flowControlError,
    (client) => Buffer.concat([client.request(1), frame(FrameType.windowUpdate, 0, 1, uint32(2 ** 31 - 1))]),
  ],
}

for (const [name, [code, bytes]] of Object.entries(streamErrors)) {
  test(`a request with ${name} is reset and the connection goes on`, async () => {
    const client = new InMemory().start()
    client.send(bytes(client))
    client.pushes.splice(0)
    client.send(client.request(3))
    assert.deepEqual(await client.resets(), [[1, code]])
    assert.deepEqual(
      client.pushes.map(({ id }) => id),
      [3],
    )
    assert.ok(!client.ended)
  })
}

test('streams beyond the limit are refused, also by one that the client has not seen', async () => {
  const client = new InMemory(2).start()
  client.send(client.request(1), client.request(3), client.request(5), client.request(7, undefined))
  assert.deepEqual(await client.resets(), [
    [5, ErrorCode.refusedStream],
    [7, ErrorCode.refusedStream],
  ])
  for (const push of client.pushes) client.session.answer(push, 200, APNS_ID, nothing)
  client.session.announce(1)
  client.send(client.request(9), client.request(11))
  assert.deepEqual((await client.resets()).slice(2), [[11, ErrorCode.refusedStream]])
  assert.deepEqual(
    client.pushes.map(({ id }) => id),
    [1, 3, 9],
  )
  assert.ok(!client.ended)
})

test('answers carry status, id and body, and take few bytes once the names are known', async () => {
  const client = new InMemory().start()
  const statuses = [200, 200, 410, 410, 200, 410]
  for (const [index, status] of statuses.entries()) {
    client.send(client.request(index * 2 + 1))
    const push = client.pushes[index]
    assert.ok(push)
    client.session.answer(push, status, APNS_ID, status === 200 ? nothing : body)
  }
  const answers = await client.wrote(HEADERS)
  assert.deepEqual(
    answers.map((answer) => client.decode(answer)),
    statuses.map((status) => [
      [':status', String(status)],
      ['apns-id', APNS_ID],
    ]),
  )
  assert.deepEqual(
    answers.map(({ flags }) => flags),
    statuses.map((status) => (status === 200 ? 5 : 4)),
  )
  assert.deepEqual(
    (await client.wrote(DATA)).map(({ id, flags, payload }) => [id, flags, payload.toString()]),
    [5, 7, 11].map((id) => [id, 1, body.toString()]),
  )
  assert.ok(answers.slice(3).every(({ payload }) => payload.length <= 40))
})

test('a header table that shrinks and grows is announced once and used again', async () => {
  const client = new InMemory().start()
  const lengths: number[] = []
  const answer = async (): Promise<void> => {
    const id = client.pushes.length * 2 + 1
    client.send(client.request(id))
    const push = client.pushes.at(-1)
    assert.ok(push)
    client.session.answer(push, 200, APNS_ID, nothing)
    const written = (await client.wrote(HEADERS)).at(-1)
    assert.ok(written)
    assert.deepEqual(client.decode(written), [
      [':status', '200'],
      ['apns-id', APNS_ID],
    ])
    lengths.push(written.payload.length)
  }
  for (let count = 0; count < 3; count += 1) await answer()
  client.resizeTable(0, 4_096)
  for (let count = 0; count < 3; count += 1) await answer()
  client.resizeTable(0, 0)
  for (let count = 0; count < 3; count += 1) await answer()
  const [first = 0, , known = 0, again = 0, , knownAgain = 0, last = 0, literal = 0, literalAgain = 0] = lengths
  const updates = [1, 4]
  assert.deepEqual([last - literal, again - first], updates, 'a size update is written once')
  assert.ok(known < literal && knownAgain === known && literalAgain === literal, lengths.join(' '))
})

test('the body of an answer waits for both windows of the client', async () => {
  const client = new InMemory().start([Setting.initialWindowSize, 3])
  client.send(client.request(1))
  const [push] = client.pushes
  assert.ok(push)
  client.session.answer(push, 400, APNS_ID, body)
  const sent = async (): Promise<string> =>
    Buffer.concat((await client.wrote(DATA)).map(({ payload }) => payload)).toString()
  assert.equal(await sent(), body.toString('utf8', 0, 3))
  client.send(frame(FrameType.windowUpdate, 0, 1, uint32(2)))
  assert.equal(await sent(), body.toString('utf8', 0, 5))
  client.send(settings([Setting.initialWindowSize, 0]), frame(FrameType.windowUpdate, 0, 1, uint32(3)))
  assert.equal(await sent(), body.toString('utf8', 0, 5))
  client.send(settings([Setting.initialWindowSize, 100]))
  assert.equal(await sent(), body.toString())
  assert.equal((await client.wrote(DATA)).at(-1)?.flags, 1)
  assert.ok(push.over)
})

test('the window of the connection holds bodies back as well', async () => {
  const client = new InMemory().start([Setting.initialWindowSize, 1_000_000])
  const large = Buffer.alloc(16_000, 'x')
  for (let index = 0; index < 5; index += 1) {
    client.send(client.request(index * 2 + 1))
    const push = client.pushes[index]
    assert.ok(push)
    client.session.answer(push, 400, APNS_ID, large)
  }
  const bytes = async (): Promise<number> =>
    (await client.wrote(DATA)).reduce((sum, { payload }) => sum + payload.length, 0)
  assert.equal(await bytes(), 65_535)
  client.send(frame(FrameType.windowUpdate, 0, 0, uint32(100_000)))
  assert.equal(await bytes(), 80_000)
})

test('both windows of a long body are given back', async () => {
  const client = new InMemory().start()
  client.send(frame(HEADERS, 4, 1, client.block(pushHeaders)))
  for (let part = 0; part < 10; part += 1) client.send(frame(DATA, 0, 1, Buffer.alloc(10_000)))
  const updates = await client.wrote(FrameType.windowUpdate)
  for (const id of [0, 1]) {
    const returned = updates.filter((update) => update.id === id).reduce((sum, update) => sum + numberOf(update), 0)
    assert.ok(returned >= 100_000 - 65_535 / 2, `${returned} bytes on stream ${id}`)
  }
})

test('settings are acknowledged, pings answered, and pushes may be allowed', async () => {
  const client = new InMemory().start([Setting.enablePush, 1])
  client.send(
    frame(FrameType.settings, 1, 0),
    frame(FrameType.ping, 0, 0, '12345678'),
    frame(FrameType.ping, 1, 0, '87654321'),
  )
  const [ours, ack, ...more] = await client.wrote(FrameType.settings)
  assert.deepEqual([ours?.flags, ack?.flags, more.length], [0, 1, 0])
  assert.deepEqual(
    (await client.wrote(FrameType.ping)).map(({ flags, payload }) => [flags, payload.toString()]),
    [[1, '12345678']],
  )
})

test('a push that the client takes back is not answered', async () => {
  const client = new InMemory().start()
  client.send(client.request(1), frame(FrameType.rstStream, 0, 1, uint32(ErrorCode.cancel)))
  const [push] = client.pushes
  assert.ok(push)
  client.session.answer(push, 200, APNS_ID, nothing)
  assert.deepEqual(await client.wrote(HEADERS), [])
})

test('a session that leaves answers what it took, ignores the rest, and ends then', async () => {
  const client = new InMemory().start()
  client.send(client.request(1), client.request(3))
  client.session.leave('why')
  client.send(client.request(5), client.request(7), frame(FrameType.rstStream, 0, 7, uint32(0)))
  assert.deepEqual(await client.goaways(), [[3, ErrorCode.noError, 'why']])
  for (const push of client.pushes) {
    assert.ok(!client.ended)
    client.session.answer(push, 200, APNS_ID, nothing)
  }
  assert.ok(client.ended)
  assert.deepEqual(
    (await client.wrote(HEADERS)).map(({ id }) => id),
    [1, 3],
  )
  assert.deepEqual(await client.resets(), [])
})

test('a client that leaves gets its answers before the end', async () => {
  const client = new InMemory().start()
  client.send(client.request(1), frame(FrameType.goaway, 0, 0, Buffer.alloc(8)))
  const [push] = client.pushes
  assert.ok(push && !client.ended)
  client.session.answer(push, 200, APNS_ID, nothing)
  assert.ok(client.ended)
  assert.equal((await client.wrote(HEADERS)).length, 1)
})
