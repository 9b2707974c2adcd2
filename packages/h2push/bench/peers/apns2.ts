// Peer: npm apns2 as shipped: 32 connections with one request each. Its pool names a fixed port and no authority, so it
// is replaced by one with the same options that reaches the sink.
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { drive } from './drive.ts'
import { requirePeer } from './installed.ts'
import { pushHeaders, readLoad } from './load.ts'

interface Client {
  client: unknown
  send(notification: unknown): Promise<unknown>
}

const path = requirePeer.resolve('apns2')
const apns2 = requirePeer('apns2') as {
  readonly ApnsClient: new (options: object) => Client
  readonly Notification: new (token: string, options: object) => unknown
}
// The undici that apns2 itself uses.
const undici = createRequire(path)('undici') as { readonly Pool: new (origin: string, options: object) => unknown }

const load = readLoad()
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' })
const client = new apns2.ApnsClient({ team: 'TEAM000000', keyId: 'KEY0000000', signingKey, host: 'localhost' })
client.client = new undici.Pool(`https://localhost:${load.port}`, {
  connections: load.connections,
  pipelining: load.streams,
  allowH2: true,
  maxConcurrentStreams: 100,
  connect: { ca: readFileSync(load.authority) },
})
const options = { topic: pushHeaders['apns-topic'], type: pushHeaders['apns-push-type'], priority: 5 }

await drive(load, (token, done) => {
  client.send(new apns2.Notification(token, options)).then(
    () => done(true),
    () => done(false),
  )
})
