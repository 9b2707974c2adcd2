import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connectNats, createLogger, ensureStreams, type Nats, subjects } from '@stampede/platform'
import { type TestNats, tempDir, testNats } from '@stampede/platform/testing'
import { runQuietly } from './lib/suites.ts'

let server: TestNats
let nats: Nats

before(async () => {
  server = await testNats()
  nats = await connectNats({ url: server.url, name: 'test', logger: createLogger('test', 'silent') })
  await ensureStreams(nats)
})
after(async () => {
  await nats?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const run = (...args: readonly string[]) =>
  runQuietly(process.execPath, ['scripts/dead-letters.ts', ...args], { ...process.env, STAMPEDE_NATS_URL: server.url })

test('dead letters are listed, replayed, discarded and gone', async () => {
  await nats.jetstream.publish(subjects.dead('push.bulk.acme'), 'payload')
  await nats.jetstream.publish(subjects.dead('gone.acme'), 'payload')
  const listed = await run('list', '--subject', 'push.bulk.*')
  assert.equal(listed.exitCode, 0, listed.output)
  assert.match(listed.output, /push\.bulk\.acme .* 7 bytes/)
  assert.match(listed.output, /^dead letters: 1$/m)
  const replayed = await run('replay')
  assert.equal(replayed.exitCode, 1, replayed.output)
  assert.match(replayed.output, /^replayed .* push\.bulk\.acme /m)
  assert.match(replayed.output, /^left \(no stream takes it.* gone\.acme /m)
  assert.match(replayed.output, /^replayed: 1, left: 1$/m)
  assert.match((await run('list')).output, /^dead letters: 1$/m)
  assert.match((await run('discard', '--subject', 'other.*')).output, /^discarded: 0$/m)
  assert.match((await run('discard')).output, /^discarded .* gone\.acme .*\ndiscarded: 1$/m)
  assert.match((await run('list')).output, /^dead letters: 0$/m)
})

test('without a command, with a wrong bound or without a broker it says what to do', async () => {
  assert.match((await run()).output, /npm run dead-letters -- list/)
  assert.equal((await run('replay', '--max', '0')).exitCode, 2)
  using folder = tempDir('no-platform')
  const { STAMPEDE_NATS_URL: _, ...env } = process.env
  const args = ['scripts/dead-letters.ts', 'list', '--data-dir', folder.path]
  const alone = await runQuietly(process.execPath, args, env)
  assert.equal(alone.exitCode, 2)
  assert.match(alone.output, /no platform runs on/)
})
