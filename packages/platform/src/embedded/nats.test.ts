import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { tempDir, toolsDir } from '../testing/index.ts'
import { freePort } from './free-port.ts'
import { isRunning } from './managed-process.ts'
import { startEmbeddedNats } from './nats.ts'
import { isNewEnough } from './nats-install.ts'

test('nats-server runs with JetStream and a password, and stops', async () => {
  using dir = tempDir('nats')
  const server = await startEmbeddedNats({ dataDir: join(dir.path, 'nats'), port: await freePort(), toolsDir })
  const { host, username, password } = new URL(server.url)
  const connection = await connect({ servers: host, user: username, pass: password })
  assert.equal(connection.info?.jetstream, true)
  assert.equal(connection.info?.max_payload, 8 * 1024 * 1024)
  await connection.close()
  await assert.rejects(connect({ servers: host, reconnect: false }), /Authorization Violation/i)
  await server[Symbol.asyncDispose]()
  assert.equal(isRunning(server.pid, 'nats-server'), false)
})

test('releases before 2.12 are refused', () => {
  assert.equal(isNewEnough('nats-server: v2.9.10'), false)
  assert.equal(isNewEnough('nats-server: v2.10.27'), false)
  assert.equal(isNewEnough('nats-server: v2.12.0'), true)
  assert.equal(isNewEnough('nats-server: v2.15.1'), true)
  assert.equal(isNewEnough('nats-server: v3.0.0'), true)
  assert.equal(isNewEnough('something else'), false)
})

test('a preferred port is given when free, another when taken', async () => {
  const port = await freePort()
  assert.equal(await freePort(port), port)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  assert.notEqual(await freePort(port), port)
  server.close()
})
