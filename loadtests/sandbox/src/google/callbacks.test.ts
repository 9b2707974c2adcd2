import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { startTestSandbox } from '../testing/index.ts'
import { type CallbackBody, CallbackSigner } from './callback-signer.ts'
import { Callbacks } from './callbacks.ts'

const sandbox = await startTestSandbox()
const { certPem, keyPem } = sandbox.authority.issueServerCertificate(['localhost'])
const received: CallbackBody[] = []
const statuses: number[] = []
let heard = Promise.withResolvers<void>()
const issuer = createServer({ cert: certPem, key: keyPem }, (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    received.push(JSON.parse(Buffer.concat(parts).toString()) as CallbackBody)
    response.writeHead(statuses.shift() ?? 200).end()
    if (statuses.length === 0) heard.resolve()
  })
})
const trust = createSecureContext({ ca: sandbox.authority.webRootPem })
const event = { issuer: '3388', classId: '3388.card', objectId: '3388.one', eventType: 'save' } as const
let url: string

before(async () => {
  await new Promise<void>((resolve) => issuer.listen(0, 'localhost', resolve))
  url = `https://localhost:${(issuer.address() as AddressInfo).port}/callback`
})
after(async () => {
  issuer.close()
  await sandbox[Symbol.asyncDispose]()
})

test('an issuer is told again, with the same nonce, until it takes the callback', async () => {
  statuses.push(503, 500, 200)
  heard = Promise.withResolvers()
  await using callbacks = new Callbacks(new CallbackSigner(Date.now()), trust)
  callbacks.tell(url, event)
  await heard.promise
  const messages = received.map(({ signedMessage }) => JSON.parse(signedMessage) as Record<string, unknown>)
  assert.equal(messages.length, 3)
  assert.equal(new Set(messages.map(({ nonce }) => nonce)).size, 1)
  assert.deepEqual([messages[0]?.['objectId'], messages[0]?.['eventType']], ['3388.one', 'save'])
})

test('an address that nobody trusts, or where nobody is, is given up', async () => {
  const callbacks = new Callbacks(new CallbackSigner(Date.now()), createSecureContext({}))
  const count = received.length
  callbacks.tell(url, event)
  await callbacks[Symbol.asyncDispose]()
  assert.deepEqual(callbacks.outcomes, { taken: 0, givenUp: 1 })
  assert.equal(received.length, count)
})

test('the keys that callbacks lead to are handed out like Google’s', async () => {
  const response = await fetch(`http://127.0.0.1:${sandbox.controlPort}/google/root-keys`)
  const { keys } = (await response.json()) as { readonly keys: readonly Record<string, string>[] }
  assert.equal(keys[0]?.['protocolVersion'], 'ECv2SigningOnly')
})
