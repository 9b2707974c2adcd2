import assert from 'node:assert/strict'
import { test } from 'node:test'
import { H2PushError } from '../errors.ts'
import { RequestBlock } from './block.ts'
import { OutcomeCode } from './outcome.ts'
import { RequestTemplate, type TemplateOptions } from './template.ts'

const options: TemplateOptions = {
  method: 'POST',
  authority: 'localhost',
  pathPrefix: '/3/device/',
  headers: [['apns-topic', 'pass.com.example']],
  body: Buffer.from('{}'),
  capture: { name: 'apns-id', bytesMax: 36 },
}
const template = new RequestTemplate(options)

function blockOf(size: number): RequestBlock {
  return new RequestBlock({ template, variables: new Uint8Array(size * 32), variableBytes: 32 })
}

test('each request gets one outcome, and the block is done with the last', async () => {
  const block = blockOf(3)
  assert.deepEqual([block.next(), block.next(), block.next(), block.next()], [0, 1, 2, -1])
  block.respond(1, 200, block.createdAtMs + 5, undefined)
  block.respond(0, 410, block.createdAtMs, {
    status: 410,
    headers: [],
    body: Buffer.from('x'),
    truncated: false,
    trailers: [],
  })
  assert.equal(block.open, 1)
  block.end(2, OutcomeCode.unknown, 'reset', Date.now())
  await block.done
  assert.deepEqual([...block.outcomes], [OutcomeCode.response, OutcomeCode.response, OutcomeCode.unknown])
  assert.deepEqual([...block.statuses], [410, 200, 0])
  assert.equal(block.endedAfterMs[1], 5)
  assert.equal(block.response(0)?.body.toString(), 'x')
  assert.equal(block.cause(2), 'reset')
  assert.throws(() => block.end(2, OutcomeCode.unknown, '', Date.now()), /has an outcome already/)
})

test('what was not processed waits again, sixteen times', () => {
  const block = blockOf(1)
  for (let time = 0; time < 16; time += 1) {
    assert.equal(block.next(), 0)
    assert.equal(block.unsent, 0)
    assert.equal(block.giveBack(0, 'refused', Date.now()), true)
    assert.equal(block.unsent, 1)
  }
  assert.equal(block.next(), 0)
  assert.equal(block.giveBack(0, 'refused', Date.now()), false)
  assert.equal(block.outcomes[0], OutcomeCode.notProcessed)
})

test('a cancelled block ends what waits, awaits what is on the wire, and sends nothing again', () => {
  const block = blockOf(3)
  block.next()
  block.next()
  assert.equal(block.cancel(), 1)
  assert.equal(block.giveBack(0, 'goaway', Date.now()), false)
  assert.deepEqual([...block.outcomes], [OutcomeCode.cancelled, OutcomeCode.pending, OutcomeCode.cancelled])
  block.respond(1, 200, Date.now(), undefined)
  assert.equal(block.open, 0)
})

test('a disposed block hands its memory on, empty, and tells nothing more', () => {
  const first = blockOf(2)
  assert.throws(() => first[Symbol.dispose](), /2 requests have not ended/)
  first.captured.fill(65)
  first.endUnsent(OutcomeCode.deadline, 'late')
  const { buffer } = first.outcomes
  first[Symbol.dispose]()
  assert.throws(() => first.outcomes, /disposed/)
  const second = blockOf(2)
  assert.equal(second.outcomes.buffer, buffer)
  assert.deepEqual([...second.outcomes, ...second.statuses, ...second.endedAfterMs], [0, 0, 0, 0, 0, 0])
  assert.equal(second.capturedText(1), '')
})

const refused: readonly (readonly [field: string, make: () => unknown])[] = [
  ['variableBytes', () => new RequestBlock({ template, variables: new Uint8Array(32), variableBytes: 0 })],
  ['variables', () => new RequestBlock({ template, variables: new Uint8Array(33), variableBytes: 32 })],
  ['variables', () => new RequestBlock({ template, variables: new Uint8Array(0), variableBytes: 32 })],
  ['body', () => new RequestTemplate({ ...options, body: new Uint8Array(8_193) })],
  ['method', () => new RequestTemplate({ ...options, method: 'PO ST' })],
  ['path', () => new RequestTemplate({ ...options, pathPrefix: 'device/' })],
  ['path', () => new RequestTemplate({ ...options, pathSuffix: ' x' })],
  ['authority', () => new RequestTemplate({ ...options, authority: '' })],
  ['capture.name', () => new RequestTemplate({ ...options, capture: { name: 'Apns-Id', bytesMax: 36 } })],
  ['capture.bytesMax', () => new RequestTemplate({ ...options, capture: { name: 'apns-id', bytesMax: 257 } })],
  ['header Host', () => new RequestTemplate({ ...options, headers: [['Host', 'x']] })],
  ['header connection', () => new RequestTemplate({ ...options, headers: [['connection', 'close']] })],
  ['value of header x', () => new RequestTemplate({ ...options, headers: [['x', 'a\r\nb']] })],
  ['value of header x', () => new RequestTemplate({ ...options, headers: [['x', ' a']] })],
  ['headers', () => new RequestTemplate({ ...options, headers: [['x', 'a'.repeat(15_000)]] })],
]

for (const [field, make] of refused) {
  test(`a wrong ${field} is refused by name`, () => {
    assert.throws(
      make,
      (error) => error instanceof H2PushError && error.code === 'invalid' && error.message.includes(field),
    )
  })
}
