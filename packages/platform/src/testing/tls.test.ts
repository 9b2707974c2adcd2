import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { testTls } from './tls.ts'

test('a TLS client that trusts the test authority accepts the test server, one that does not refuses it', async () => {
  using tls = testTls()
  assert.ok(new X509Certificate(tls.certPem).checkIssued(new X509Certificate(tls.caPem)))
  const server = createServer({ cert: tls.certPem, key: tls.keyPem }, (socket) => socket.end('hello'))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const open = (options: object): TLSSocket => connect({ port: address.port, host: '127.0.0.1', ...options })
  try {
    const trusting = open({ ca: tls.caPem })
    const [data] = (await once(trusting, 'data')) as [Buffer]
    assert.equal(data.toString(), 'hello')
    trusting.destroy()
    await assert.rejects(once(open({}), 'data'))
  } finally {
    server.close()
  }
})
